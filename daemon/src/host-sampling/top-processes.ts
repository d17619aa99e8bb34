import { statSync } from "node:fs";
import type { ProcessState } from "@apm-daemon/protocol";
import { readProcessCommand } from "./process-command.ts";
import { countOpenFds } from "./process-counts.ts";
import type { ProcessIo, ProcessIoRate } from "./process-io.ts";
import type { KnownProcess, ProcessTable } from "./process-table.ts";
import { UserNames } from "./user-names.ts";

const TOP = 10;

export interface TopProcessesOptions {
  procRoot: string;
  /** Where user names are found, usually /etc/passwd. */
  passwdFile: string;
}

/** The processes that use most of the host's CPU and memory, described. */
export class TopProcesses {
  readonly #procRoot: string;
  readonly #users: UserNames;

  constructor({ procRoot, passwdFile }: TopProcessesOptions) {
    this.#procRoot = procRoot;
    this.#users = new UserNames(passwdFile);
  }

  /**
   * The first ten by CPU and the first ten by memory, each once, by CPU descending. CPU is that between the last two readings, or
   * that of the last 10 to 20 s.
   */
  top(table: ProcessTable, io: ProcessIo, ratio: "cpuRatio" | "longRatio"): ProcessState[] {
    const processes = [...table.all()];
    const byCpu = processes
      .filter((process) => process[ratio] > 0)
      .sort((a, b) => b[ratio] - a[ratio])
      .slice(0, TOP);
    const byMemory = processes
      .filter(({ rssBytes }) => rssBytes > 0)
      .sort((a, b) => b.rssBytes - a.rssBytes)
      .slice(0, TOP);
    return [...new Set([...byCpu, ...byMemory])]
      .sort((a, b) => b[ratio] - a[ratio] || b.rssBytes - a.rssBytes)
      .map((process) => this.#describe(process, process[ratio], io.of(process)));
  }

  #describe(process: KnownProcess, cpuRatio: number, io: ProcessIoRate | null): ProcessState {
    const { pid, name, rssBytes, threads, monoMs } = process;
    const openFds = countOpenFds(`${this.#procRoot}/${pid}/fd`, true);
    return {
      pid,
      user: this.#userOf(pid, monoMs),
      command: readProcessCommand(this.#procRoot, pid, name),
      cpuRatio,
      rssBytes,
      threads,
      ...(openFds === null ? {} : { openFds }),
      ...(io === null
        ? {}
        : {
            ioReadBytesPerSecond: io.readBytesPerSecond,
            ioWriteBytesPerSecond: io.writeBytesPerSecond,
          }),
    };
  }

  #userOf(pid: number, monoMs: number): string {
    try {
      return this.#users.nameOf(statSync(`${this.#procRoot}/${pid}`).uid, monoMs);
    } catch {
      return "";
    }
  }
}
