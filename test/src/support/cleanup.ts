import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What a test started or made, undone in reverse order, whatever fails on the way. */
export class Cleanup {
  readonly #undo: (() => Promise<void> | void)[] = [];

  add(undo: () => Promise<void> | void): void {
    this.#undo.push(undo);
  }

  /** A new folder below the temp dir, removed at the end. Its path is short: socket paths have 107 bytes at most. */
  tempDir(): string {
    const path = mkdtempSync(join(tmpdir(), "apm-test-"));
    this.add(() => rmSync(path, { recursive: true, force: true }));
    return path;
  }

  async run(): Promise<void> {
    const failures: unknown[] = [];
    for (let undo = this.#undo.pop(); undo !== undefined; undo = this.#undo.pop()) {
      try {
        await undo();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, "could not clean up");
  }
}
