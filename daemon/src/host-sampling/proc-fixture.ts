import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";

export interface FixtureProcess {
  name?: string;
  state?: string;
  ppid?: number;
  userTicks?: number;
  systemTicks?: number;
  threads?: number;
  startTicks?: number;
  rssPages?: number;
}

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

  /** A process as /proc shows it, by stat and cmdline. */
  process(pid: number, process: FixtureProcess = {}): void {
    const { name = "app", state = "S", ppid = 1, userTicks = 0, systemTicks = 0 } = process;
    const { threads = 1, startTicks = 100, rssPages = 0 } = process;
    const cpu = `1 2 3 4 ${userTicks} ${systemTicks} 70 80`;
    const rest = `${startTicks} 99999 ${rssPages} 18446744073709551615 1 1 0 0`;
    this.write(
      `${pid}/stat`,
      `${pid} (${name}) ${state} ${ppid} ${pid} ${pid} 0 -1 4194304 ${cpu} 20 0 ${threads} 0 ${rest}\n`,
    );
    this.write(`${pid}/cmdline`, `/bin/${name}\0`);
  }

  /** What /proc/PID/io says that it did on disks. */
  io(pid: number, readBytes: number, writtenBytes: number): void {
    this.write(
      `${pid}/io`,
      `rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: ${readBytes}\nwrite_bytes: ${writtenBytes}\ncancelled_write_bytes: 0\n`,
    );
  }

  remove(path: string): void {
    rmSync(join(this.root, path), { recursive: true });
  }
}
