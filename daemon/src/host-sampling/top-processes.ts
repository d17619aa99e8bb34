// Which processes use the host's CPU and memory now.
//
// A round visits each process once, READS_PER_TICK of them a second, so that a host with thousands of processes neither
// stalls the daemon nor costs it more than a host with hundreds; there a round just takes longer than ROUND_MS. Most
// processes of a host sleep: one that used no CPU between its last two visits is passed over in two of three rounds.
// A process's CPU share is that between its last two visits; at its first one, its average since it began, as in ps.

import { readdirSync, statSync } from "node:fs";
import type { ProcessState } from "@apm-daemon/protocol";
import { ProcFile, type ProcScanner } from "./proc-scanner.ts";
import { readProcessCommand } from "./process-command.ts";
import { UserNames } from "./user-names.ts";

/** About 2 ms of work. */
const READS_PER_TICK = 128;
const ROUND_MS = 10_000;
const IDLE_EVERY_ROUNDS = 3;
/** Ticks come a little early or late. */
const ROUND_SLACK_MS = 500;
const TOP = 10;
/** Bounds memory on a host with a fork bomb. */
const MAX_PROCESSES = 16_384;
/** The kernel reports times in USER_HZ, 100 on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;

export interface TopProcessesOptions {
  procRoot: string;
  /** Where user names are found, usually /etc/passwd. */
  passwdFile: string;
  pageBytes: number;
  scanner: ProcScanner;
}

interface Visit {
  pid: number;
  name: string;
  monoMs: number;
  cpuTicks: number;
  startTicks: number;
  cpuRatio: number;
  rssBytes: number;
  threads: number;
}

/** Keeps the processes with the highest CPU share and the most memory, by cheap rounds over /proc. */
export class TopProcesses {
  readonly #options: TopProcessesOptions;
  readonly #uptime: ProcFile;
  readonly #users: UserNames;
  readonly #visits: Map<number, Visit> = new Map();
  #queue: number[] = [];
  #round = 0;
  #roundMonoMs = Number.NEGATIVE_INFINITY;
  #lastMonoMs = 0;

  constructor(options: TopProcessesOptions) {
    this.#options = options;
    this.#uptime = new ProcFile(`${options.procRoot}/uptime`);
    this.#users = new UserNames(options.passwdFile);
  }

  /** Visits the next processes of this round; call it about once a second. */
  tick(monoMs: number): void {
    this.#lastMonoMs = monoMs;
    if (this.#queue.length === 0 && monoMs - this.#roundMonoMs >= ROUND_MS - ROUND_SLACK_MS)
      this.#startRound(monoMs);
    if (this.#queue.length === 0) return;
    const uptimeSec = this.#options.scanner.read(this.#uptime) ? this.#options.scanner.number() : Number.NaN;
    for (const pid of this.#queue.splice(-READS_PER_TICK)) this.#visit(pid, monoMs, uptimeSec);
  }

  /** The first ten by CPU and the first ten by memory, each once, by CPU descending. */
  top(): ProcessState[] {
    const visits = [...this.#visits.values()];
    const byCpu = visits
      .filter((visit) => visit.cpuRatio > 0)
      .sort((a, b) => b.cpuRatio - a.cpuRatio)
      .slice(0, TOP);
    const byMemory = visits
      .filter((visit) => visit.rssBytes > 0)
      .sort((a, b) => b.rssBytes - a.rssBytes)
      .slice(0, TOP);
    return [...new Set([...byCpu, ...byMemory])]
      .sort((a, b) => b.cpuRatio - a.cpuRatio || b.rssBytes - a.rssBytes)
      .map((visit) => this.#describe(visit));
  }

  close(): void {
    this.#uptime.close();
  }

  #startRound(monoMs: number): void {
    this.#roundMonoMs = monoMs;
    this.#round++;
    const alive = new Set(listPids(this.#options.procRoot));
    for (const pid of this.#visits.keys()) {
      if (!alive.has(pid)) this.#visits.delete(pid);
    }
    this.#queue = [...alive].filter((pid) => this.#isDue(pid));
  }

  #isDue(pid: number): boolean {
    const isIdle = this.#visits.get(pid)?.cpuRatio === 0;
    return !isIdle || (pid + this.#round) % IDLE_EVERY_ROUNDS === 0;
  }

  #visit(pid: number, monoMs: number, uptimeSec: number): void {
    const visit = this.#read(pid, monoMs);
    if (visit === null) {
      this.#visits.delete(pid);
      return;
    }
    const before = this.#visits.get(pid);
    const isSame = before !== undefined && before.startTicks === visit.startTicks;
    const ticks = isSame ? visit.cpuTicks - before.cpuTicks : visit.cpuTicks;
    const overSec = isSame
      ? (monoMs - before.monoMs) / 1000
      : uptimeSec - visit.startTicks / TICKS_PER_SECOND;
    visit.cpuRatio = ticks > 0 && overSec > 0 ? ticks / TICKS_PER_SECOND / overSec : 0;
    this.#visits.set(pid, visit);
  }

  /** Columns of /proc/PID/stat as numbered in proc(5); the name may hold spaces and brackets. */
  #read(pid: number, monoMs: number): Visit | null {
    const scanner = this.#options.scanner;
    if (!scanner.readOnce(`${this.#options.procRoot}/${pid}/stat`)) return null;
    const name = scanner.enclosed("(", ")");
    scanner.skip(11);
    const cpuTicks = scanner.number() + scanner.number();
    scanner.skip(4);
    const threads = scanner.number();
    scanner.skip(1);
    const startTicks = scanner.number();
    scanner.skip(1);
    const rssBytes = scanner.number() * this.#options.pageBytes;
    if (Number.isNaN(cpuTicks + threads + startTicks + rssBytes)) return null;
    return { pid, name, monoMs, cpuTicks, startTicks, cpuRatio: 0, rssBytes, threads };
  }

  #describe({ pid, name, cpuRatio, rssBytes, threads }: Visit): ProcessState {
    const { procRoot } = this.#options;
    const command = readProcessCommand(procRoot, pid, name);
    return { pid, user: this.#userOf(pid), command, cpuRatio, rssBytes, threads };
  }

  #userOf(pid: number): string {
    try {
      return this.#users.nameOf(statSync(`${this.#options.procRoot}/${pid}`).uid, this.#lastMonoMs);
    } catch {
      return "";
    }
  }
}

function listPids(procRoot: string): number[] {
  let names: string[];
  try {
    names = readdirSync(procRoot);
  } catch {
    return [];
  }
  const pids = names.map(Number).filter((pid) => Number.isInteger(pid) && pid > 0);
  return pids.slice(0, MAX_PROCESSES);
}
