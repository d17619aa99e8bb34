import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";

/** A folder shaped like /proc for one test: `write` replaces files in place, as the kernel's change in place. */
export class ProcFixture {
  readonly root: string;

  constructor(t: TestContext, files: Record<string, string> = {}) {
    this.root = mkdtempSync(join(tmpdir(), "apm-proc-"));
    t.after(() => rmSync(this.root, { recursive: true }));
    for (const [path, text] of Object.entries(files)) this.write(path, text);
  }

  write(path: string, text: string): void {
    const file = join(this.root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  remove(path: string): void {
    rmSync(join(this.root, path), { recursive: true });
  }
}
