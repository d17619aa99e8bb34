// All processes of the host, once a second, each known by its pid and its start: the pass that lists /proc and reads their stat files.
//
// Above READS_PER_PASS processes a pass reads those that used CPU when they were read last and all new ones, and takes the others
// in turns; `coverage` says so. A share is always that between two readings, over the time between them.
//
// A process of one thread that has not run since has nothing new to tell but what others did to it: the size of its memory when the
// kernel took some, its parent when that ended. Its stat is read again after REREAD_PASSES.
//
// Listing /proc costs 2 µs a process. The kernel says which pid it gave out last: while that stays the same there is nothing new to
// list, and processes that ended are those that cannot be read any more.

import { readdirSync } from "node:fs";
import { ProcFile, type ProcScanner } from "./proc-scanner.ts";
import { ProcessFiles } from "./process-files.ts";
import { ProcessRuns, type RunMark } from "./process-runs.ts";
import { emptyStat, type ProcessStat, parseProcessStat, TICKS_PER_SECOND } from "./process-stat.ts";

/** About 20 ms of work a second on a slow core. */
const READS_PER_PASS = 2_048;
/** Bounds memory on a host with a fork bomb. */
const MAX_PROCESSES = 16_384;
/** A line has 52 numbers of at most 20 digits. */
const STAT_BYTES = 2_048;
/** `longRatio` begins one to two of these ago. */
const LONG_MS = 10_000;
/** Ticks come a little early or late. */
const SLACK_MS = 500;
/** A longer chain of parents is a loop, read while it changed. */
const MAX_DEPTH = 64;
/** Pids are given out in a circle: once in a while the last one is the same by chance. */
const LIST_EVERY_PASSES = 10;
/** Not all in the same pass. */
const REREAD_PASSES = 10;
const LOADS_AND_TASKS = 4;

export interface KnownProcess {
  readonly pid: number;
  readonly startTicks: number;
  /** The kernel's name of it, 15 bytes at most. */
  name: string;
  ppid: number;
  /** The kernel's letter: "D" waits for a disk. */
  state: string;
  threads: number;
  rssBytes: number;
  /** CPU between the last two readings, 1 = one core. */
  cpuRatio: number;
  /** CPU over the last 10 to 20 s. */
  longRatio: number;
  /** When it was read last. */
  monoMs: number;
}

interface Entry extends KnownProcess, RunMark {
  nameSum: number;
  cpuTicks: number;
  /** Where `longRatio` begins, and where it will begin next. */
  longTicks: number;
  longMonoMs: number;
  nextTicks: number;
  nextMonoMs: number;
  /** The last listing that had it. */
  pass: number;
}

/** How much of the host's processes the last pass has read. */
export interface ProcessCoverage {
  processes: number;
  read: number;
  /** Processes beyond MAX_PROCESSES, which nobody looks at. */
  unlisted: number;
  /** Each process that uses no CPU is read once in so many seconds. */
  idleEverySec: number;
}

export interface ProcessTableOptions {
  procRoot: string;
  pageBytes: number;
  scanner: ProcScanner;
  /** Files that it may keep open, up to two a process. Default 0. */
  maxOpenFiles?: number | undefined;
  /** Default READS_PER_PASS. */
  readsPerPass?: number;
}

/** The processes of this host as of the last pass. */
export class ProcessTable {
  coverage: ProcessCoverage = { processes: 0, read: 0, unlisted: 0, idleEverySec: 1 };
  readonly #options: ProcessTableOptions;
  readonly #readsPerPass: number;
  readonly #entries: Map<number, Entry> = new Map();
  readonly #files: ProcessFiles;
  readonly #runs: ProcessRuns;
  readonly #uptime: ProcFile;
  readonly #loadavg: ProcFile;
  readonly #bytes: Buffer = Buffer.allocUnsafe(STAT_BYTES);
  readonly #stat: ProcessStat = emptyStat();
  #pass = 0;
  #passMonoMs = Number.NaN;
  #pids: readonly number[] = [];
  #lastPid = Number.NaN;
  /** Where the next pass goes on, of those that used CPU and of the others. */
  #activeTurn = 0;
  #idleTurn = 0;

  constructor(options: ProcessTableOptions) {
    this.#options = options;
    this.#readsPerPass = options.readsPerPass ?? READS_PER_PASS;
    const maxOpenOfEach = Math.floor((options.maxOpenFiles ?? 0) / 2);
    this.#files = new ProcessFiles(options.procRoot, "stat", maxOpenOfEach);
    this.#runs = new ProcessRuns(options.procRoot, maxOpenOfEach);
    this.#uptime = new ProcFile(`${options.procRoot}/uptime`);
    this.#loadavg = new ProcFile(`${options.procRoot}/loadavg`);
  }

  /** Reads the processes now; call it once a second. Throws what the system throws when /proc cannot be listed. */
  tick(monoMs: number): void {
    const { scanner } = this.#options;
    this.#pass++;
    this.#list();
    const due = this.#due();
    const uptimeSec = scanner.read(this.#uptime) ? scanner.number() : Number.NaN;
    for (const pid of due) this.#visit(pid, monoMs, uptimeSec);
    this.#passMonoMs = monoMs;
  }

  all(): IterableIterator<KnownProcess> {
    return this.#entries.values();
  }

  get(pid: number): KnownProcess | undefined {
    return this.#entries.get(pid);
  }

  /** The pids above a process, its parent first, as far as they are known. */
  ancestors(pid: number): number[] {
    const chain: number[] = [];
    let at = this.#entries.get(pid)?.ppid ?? 0;
    while (at > 0 && chain.length < MAX_DEPTH && !chain.includes(at)) {
      chain.push(at);
      at = this.#entries.get(at)?.ppid ?? 0;
    }
    return chain;
  }

  close(): void {
    this.#files.closeAll();
    this.#runs.closeAll();
    this.#uptime.close();
    this.#loadavg.close();
  }

  /** Learns which processes there are, if there can be new ones, and forgets those that went. */
  #list(): void {
    const { procRoot, scanner } = this.#options;
    const lastPid = this.#readLastPid(scanner);
    if (lastPid === this.#lastPid && this.#pass % LIST_EVERY_PASSES !== 0) return;
    this.#lastPid = lastPid;
    const pids = listPids(procRoot);
    this.#pids = pids.length > MAX_PROCESSES ? pids.slice(0, MAX_PROCESSES) : pids;
    this.coverage.unlisted = pids.length - this.#pids.length;
    for (const pid of this.#pids) {
      const entry = this.#entries.get(pid);
      if (entry !== undefined) entry.pass = this.#pass;
    }
    for (const entry of this.#entries.values()) if (entry.pass !== this.#pass) this.#forget(entry);
  }

  /** The last column of /proc/loadavg; NaN, which no number is the same as, where there is none. */
  #readLastPid(scanner: ProcScanner): number {
    if (!scanner.read(this.#loadavg)) return Number.NaN;
    scanner.skip(LOADS_AND_TASKS);
    return scanner.number();
  }

  /** Those to read in this pass. */
  #due(): readonly number[] {
    const pids = this.#pids;
    this.coverage.processes = pids.length + this.coverage.unlisted;
    this.coverage.read = Math.min(pids.length, this.#readsPerPass);
    this.coverage.idleEverySec = 1;
    if (pids.length <= this.#readsPerPass) return pids;
    const active: number[] = [];
    const idle: number[] = [];
    for (const pid of pids) (this.#entries.get(pid)?.cpuRatio === 0 ? idle : active).push(pid);
    const activeRoom = Math.min(active.length, this.#readsPerPass);
    const idleRoom = this.#readsPerPass - activeRoom;
    this.coverage.idleEverySec = Math.ceil(idle.length / Math.max(1, idleRoom));
    const due = [...inTurn(active, this.#activeTurn, activeRoom), ...inTurn(idle, this.#idleTurn, idleRoom)];
    this.#activeTurn += activeRoom;
    this.#idleTurn += idleRoom;
    return due;
  }

  #visit(pid: number, monoMs: number, uptimeSec: number): void {
    const known = this.#entries.get(pid);
    if (known !== undefined && this.#hasSlept(known)) {
      this.#measure(known, known.cpuTicks, monoMs);
      return;
    }
    const stat = this.#stat;
    const length = this.#files.read(pid, this.#bytes);
    if (length === 0 || !parseProcessStat(this.#bytes, length, stat)) {
      if (known === undefined) return;
      this.#forget(known);
      // List anew: it may have a successor.
      this.#lastPid = Number.NaN;
    } else if (known?.startTicks === stat.startTicks) this.#update(known, stat, monoMs);
    else this.#entries.set(pid, this.#newEntry(pid, stat, monoMs, uptimeSec));
  }

  #hasSlept(entry: Entry): boolean {
    if (entry.threads !== 1 || entry.cpuRatio !== 0) return false;
    if ((this.#pass + entry.pid) % REREAD_PASSES === 0) return false;
    return this.#runs.hasSlept(entry.pid, entry);
  }

  #update(entry: Entry, stat: ProcessStat, monoMs: number): void {
    this.#measure(entry, stat.cpuTicks, monoMs);
    this.#note(entry, stat);
  }

  #measure(entry: Entry, cpuTicks: number, monoMs: number): void {
    entry.cpuRatio = shareOf(cpuTicks - entry.cpuTicks, (monoMs - entry.monoMs) / 1_000);
    if (monoMs - entry.nextMonoMs >= LONG_MS - SLACK_MS) {
      entry.longTicks = entry.nextTicks;
      entry.longMonoMs = entry.nextMonoMs;
      entry.nextTicks = cpuTicks;
      entry.nextMonoMs = monoMs;
    }
    entry.longRatio = shareOf(cpuTicks - entry.longTicks, (monoMs - entry.longMonoMs) / 1_000);
    entry.cpuTicks = cpuTicks;
    entry.monoMs = monoMs;
  }

  /** At first sight a share is the average since the process began, as in ps, or since the last pass when it began after that. */
  #newEntry(pid: number, stat: ProcessStat, monoMs: number, uptimeSec: number): Entry {
    const { cpuTicks, startTicks } = stat;
    const ageSec = uptimeSec - startTicks / TICKS_PER_SECOND;
    const passSec = (monoMs - this.#passMonoMs) / 1_000;
    const cpuRatio = shareOf(cpuTicks, passSec > ageSec ? passSec : ageSec);
    const entry: Entry = {
      pid,
      startTicks,
      name: "",
      ppid: 0,
      state: "",
      threads: 0,
      rssBytes: 0,
      cpuRatio,
      longRatio: cpuRatio,
      monoMs,
      nameSum: -1,
      ranNs: Number.NaN,
      slices: Number.NaN,
      cpuTicks,
      longTicks: cpuTicks,
      longMonoMs: monoMs,
      nextTicks: cpuTicks,
      nextMonoMs: monoMs,
      pass: this.#pass,
    };
    this.#note(entry, stat);
    return entry;
  }

  #note(entry: Entry, stat: ProcessStat): void {
    entry.ppid = stat.ppid;
    entry.state = stat.state;
    entry.threads = stat.threads;
    entry.rssBytes = stat.rssPages * this.#options.pageBytes;
    const sum = checksum(this.#bytes, stat.nameFrom, stat.nameTo);
    if (sum === entry.nameSum) return;
    entry.nameSum = sum;
    entry.name = this.#bytes.toString("utf8", stat.nameFrom, stat.nameTo);
  }

  #forget(entry: Entry): void {
    this.#entries.delete(entry.pid);
    this.#files.close(entry.pid);
    this.#runs.close(entry.pid);
  }
}

/** 0 when no time passed, or the counter went back. */
function shareOf(ticks: number, overSec: number): number {
  return ticks > 0 && overSec > 0 ? ticks / TICKS_PER_SECOND / overSec : 0;
}

/** `room` of them from place `turn` on, around. */
function inTurn(pids: readonly number[], turn: number, room: number): number[] {
  const from = pids.length === 0 ? 0 : turn % pids.length;
  const first = pids.slice(from, from + room);
  return [...first, ...pids.slice(0, Math.min(from, room - first.length))];
}

/** Tells two names apart without making strings of them (FNV-1a). */
function checksum(bytes: Buffer, from: number, to: number): number {
  let sum = 0x811c9dc5;
  for (let at = from; at < to; at++) sum = Math.imul(sum ^ (bytes[at] ?? 0), 0x01000193);
  return sum >>> 0;
}

function listPids(procRoot: string): number[] {
  const pids: number[] = [];
  for (const name of readdirSync(procRoot)) {
    const pid = Number(name);
    if (Number.isInteger(pid) && pid > 0) pids.push(pid);
  }
  return pids;
}
