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

  /** What /proc/PID/schedstat says that its main thread ran. */
  ran(pid: number | "self", ranNs: number, slices: number): void {
    this.write(`${pid}/schedstat`, `${ranNs} 12345 ${slices}\n`);
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

/** A whole host in which every counter moves with `n`. */
export function hostFiles(n: number): Record<string, string> {
  const psi = `some avg10=0.00 avg60=0.00 avg300=0.00 total=${n}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=${n}\n`;
  const cpu = `cpu  ${n} ${n} ${n} ${n} ${n} ${n} ${n} ${n} 0 0\n`;
  return {
    stat: `${cpu}${cpu.replace("cpu ", "cpu0")}ctxt ${n}\nprocesses ${n}\nprocs_running 1\nprocs_blocked 0\n`,
    loadavg: "0.10 0.20 0.30 1/2 3\n",
    meminfo:
      "MemTotal: 9 kB\nMemAvailable: 5 kB\nBuffers: 1 kB\nCached: 1 kB\nDirty: 1 kB\nSReclaimable: 1 kB\nSwapTotal: 1 kB\nSwapFree: 1 kB\n",
    vmstat: `pswpin ${n}\npswpout ${n}\noom_kill ${n}\n`,
    diskstats: ` 254 0 vda ${n} 0 ${n} ${n} ${n} 0 ${n} ${n} 0 ${n} ${n}\n`,
    "net/dev": `a\nb\neth0: ${n} ${n} ${n} ${n} 0 0 0 0 ${n} ${n} ${n} ${n} 0 0 0 0\n`,
    "net/snmp": `Tcp: CurrEstab RetransSegs\nTcp: 1 ${n}\n`,
    "net/netstat": `TcpExt: ListenOverflows\nTcpExt: ${n}\n`,
    "pressure/cpu": psi,
    "pressure/memory": psi,
    "pressure/io": psi,
    "7/stat": `7 (app) S 1 7 7 0 -1 0 1 2 3 4 ${n} ${n} 0 0 20 0 1 0 5 9 3 1\n`,
    "7/cmdline": "app\0",
    uptime: "100.0 1.0\n",
    mounts: "",
  };
}
