import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { tempDir } from "./temp-dir.ts";

/** The host of these files booted then; processes start at ticks of 10 ms after it. */
export const BOOT_UNIX_MS = 1_700_000_000_000;

/** A /proc and a /sys/fs/cgroup of a test's own. */
export class ProcFiles {
  readonly procRoot: string;
  readonly cgroupRoot: string;

  constructor(t: TestContext, bootId = "boot-1") {
    const root = tempDir(t);
    this.procRoot = join(root, "proc");
    this.cgroupRoot = join(root, "cgroup");
    this.write("proc/stat", `cpu  1 2 3\nbtime ${BOOT_UNIX_MS / 1_000}\n`);
    this.write("proc/vmstat", "oom_kill 5\n");
    this.write("proc/sys/kernel/random/boot_id", `${bootId}\n`);
  }

  /** `path` begins with "proc/" or "cgroup/". */
  write(path: string, text: string): void {
    const file = join(dirname(this.procRoot), path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  /** Columns as in proc(5); the wait status is that of an ending process. */
  process(pid: number, startTicks: number, state = "S", waitStatus = 0): void {
    const columns = Array.from({ length: 50 }, () => "0");
    columns[0] = state;
    columns[19] = String(startTicks);
    columns[49] = String(waitStatus);
    this.write(`proc/${pid}/stat`, `${pid} (a name) with) brackets) ${columns.join(" ")}\n`);
  }

  /** cgroup v2: one process, a limit of 64 MiB. */
  cgroupV2(pid: number, path: string, oomKills: number, limitHits = 0): void {
    this.write(`proc/${pid}/cgroup`, `0::${path}\n`);
    this.write(
      `cgroup${path}/memory.events`,
      `low 0\nhigh 0\nmax ${limitHits}\noom 1\noom_kill ${oomKills}\n`,
    );
    this.write(`cgroup${path}/memory.max`, "67108864\n");
    this.write(`cgroup${path}/memory.current`, "66060288\n");
    this.write(`cgroup${path}/cgroup.procs`, `${pid}\n`);
  }

  end(pid: number): void {
    rmSync(join(this.procRoot, String(pid)), { recursive: true });
  }
}
