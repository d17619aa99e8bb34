// CPU, memory, threads and open files of the monitored apps' processes, once a second.
//
// pidusage remembers the last reading of each pid and holds its stat file open; it forgets a pid only by age. Two things
// follow. HISTORY_MS is short, so that the file of a process that went is closed soon. And a pid that fails is not asked
// again before its history has gone, else the new process behind a reused pid would be asked through the old one's file.
//
// The rings of all processes share RING_BYTES: MAX_RING_SECONDS each for up to 64 processes, and half of what is left each time their
// number doubles, so that 512 processes have two minutes. Sizes change at powers of two alone, lest each new process move all rings.

import { type FailingSampler, PROCESS_METRICS, type SecondsTable } from "@apm-daemon/protocol";
import pidusage from "pidusage";
import { Cgroups } from "./cgroup.ts";
import { ProcScanner } from "./proc-scanner.ts";
import { ProcessCounts } from "./process-counts.ts";
import type { ProcessIoRate } from "./process-io.ts";
import type { ProcessTree } from "./process-trees.ts";
import { SamplerGuard } from "./sampler-guard.ts";
import { SecondsRing, type SecondValues } from "./seconds-ring.ts";
import { UploadResolution } from "./upload-resolution.ts";

const HISTORY_MS = 5_000;
/** The history is looked through at half its age: after this it has gone. */
const ASK_AGAIN_AFTER_MS = 8_000;
const MAX_PROCESSES = 512;
/** So that one user's processes cannot take the place of all others'. */
const MAX_PROCESSES_OF_USER = 384;
/**
 * A pid that an app in a container reports is another process here. Its start tells: two differ by more than this, while
 * clock corrections between the app's start and now seldom do.
 */
const SAME_START_MS = 30_000;

/** With the host's hour, and who was busiest in it, less than 8 MB. */
const RING_BYTES = 4.5 * 1_048_576;
const MAX_RING_SECONDS = 600;

const COLUMNS: readonly string[] = PROCESS_METRICS.map((metric) => metric.name);
/** Seven digits are more than any of these is exact to. */
const PRECISION = "single";

export interface SampledProcess {
  /** Names the process for its owner: the instance id. */
  key: string;
  pid: number;
  /** When it says it began. */
  startUnixMs: number;
  /** The kernel says that this is the process; else its start is compared with what it says. */
  isProven?: boolean;
  /** Null or missing where it is not known. */
  uid?: number | null;
}

export interface ProcessSamplerOptions {
  /** Default /proc; threads and open files are null where it is missing. pidusage always reads the system's own. */
  procRoot?: string;
  /** Default /sys/fs/cgroup. */
  cgroupRoot?: string;
  /** What is known of all processes; trees and I/O are null without it. */
  host?: HostProcesses;
  /** Seconds of one row that is sent. Default 1. */
  resolutionSec?: number | undefined;
}

/** All processes of the host, as of the same second. */
export interface HostProcesses {
  trees(roots: ReadonlySet<number>): ReadonlyMap<number, ProcessTree>;
  ioOf(pid: number): ProcessIoRate | null;
}

interface Tick {
  tsSec: number;
  monoMs: number;
  trees: ReadonlyMap<number, ProcessTree>;
}

const NO_TREES: Tick["trees"] = new Map();

type Standing = "unchecked" | "sampled" | "foreign";

interface Watched extends SampledProcess {
  ring: SecondsRing;
  standing: Standing;
  /** pidusage's first answer about a pid has no CPU share yet. */
  hasHistory: boolean;
  askAgainMonoMs: number;
  noted: SecondValues;
  isRemoved: boolean;
}

/** Samples the processes it is told of, through pidusage and /proc, and keeps their last seconds. */
export class ProcessSampler {
  /** Processes not taken because MAX_PROCESSES are watched already. */
  refusedProcesses = 0;
  /** Seconds left out because the reading before had not come back. */
  skippedSeconds = 0;
  readonly #procRoot: string;
  readonly #upload: UploadResolution;
  readonly #guard: SamplerGuard = new SamplerGuard();
  readonly #cgroups: Cgroups;
  readonly #counts: ProcessCounts;
  readonly #host: HostProcesses | null;
  /** Seconds that each ring keeps. */
  #ringSeconds = MAX_RING_SECONDS;
  readonly #watched: Map<string, Watched> = new Map();
  readonly #ofUser = new Map<number, number>();
  #isReading = false;

  constructor(options: ProcessSamplerOptions = {}) {
    this.#procRoot = options.procRoot ?? "/proc";
    this.#cgroups = new Cgroups(this.#procRoot, options.cgroupRoot ?? "/sys/fs/cgroup", new ProcScanner());
    this.#upload = new UploadResolution(PROCESS_METRICS, options.resolutionSec);
    this.#counts = new ProcessCounts(this.#procRoot);
    this.#host = options.host ?? null;
  }

  /** Processes whose pid means another process on this host (an app in a container): their columns stay null. */
  get foreignProcesses(): number {
    return [...this.#watched.values()].filter((watched) => watched.standing === "foreign").length;
  }

  /** Begins to sample a process; false when there are too many. A known key starts anew only with another pid. */
  add(sampled: SampledProcess): boolean {
    const known = this.#watched.get(sampled.key);
    if (known?.pid === sampled.pid) {
      known.isRemoved = false;
      return true;
    }
    if (known === undefined && !this.#hasRoom(sampled.uid ?? null)) {
      this.refusedProcesses++;
      return false;
    }
    this.#countOfUser(known?.uid ?? null, -1);
    this.#countOfUser(sampled.uid ?? null, 1);
    this.#watched.set(sampled.key, {
      ...sampled,
      ring: new SecondsRing(COLUMNS, this.#ringSeconds, PRECISION),
      standing: sampled.isProven === true ? "sampled" : "unchecked",
      hasHistory: false,
      askAgainMonoMs: 0,
      noted: {},
      isRemoved: false,
    });
    this.#shareRings();
    return true;
  }

  /** Ends sampling; what is not drained yet is in the next drain. */
  remove(key: string): void {
    const watched = this.#watched.get(key);
    if (watched !== undefined) watched.isRemoved = true;
  }

  /** Values of PROCESS_METRICS that the process told of itself; they join its next sampled second. */
  note(key: string, values: SecondValues): void {
    const watched = this.#watched.get(key);
    if (watched !== undefined) watched.noted = { ...watched.noted, ...values };
  }

  /** Samples all processes now and names the rows `tsSec`. Never rejects. */
  async tick(tsSec: number, monoMs: number): Promise<void> {
    if (this.#isReading) {
      this.skippedSeconds++;
      return;
    }
    const present = [...this.#watched.values()].filter((watched) => !watched.isRemoved);
    if (present.length === 0) return;
    this.#isReading = true;
    const usage = await readUsage(present.filter((watched) => isAskable(watched, monoMs)));
    this.#isReading = false;
    this.#guard.run("apps' processes", () => this.#push(present, usage, tsSec, monoMs));
  }

  /** The parts that fail now. */
  get failing(): FailingSampler[] {
    return this.#guard.failing;
  }

  #push(
    present: readonly Watched[],
    usage: ReadonlyMap<number, pidusage.Status>,
    tsSec: number,
    monoMs: number,
  ): void {
    const own = present.filter(({ standing }) => standing !== "foreign").map(({ pid }) => pid);
    const now = { tsSec, monoMs, trees: this.#host?.trees(new Set(own)) ?? NO_TREES };
    for (const watched of present) {
      const values = this.#judge(watched, usage.get(watched.pid), now);
      watched.ring.push(tsSec, { ...values, ...watched.noted });
      watched.noted = {};
    }
    this.#cgroups.forget(monoMs);
  }

  /** Each process's seconds since the last drain, by key; processes without any are left out. */
  drain(): Map<string, SecondsTable> {
    const tables = new Map<string, SecondsTable>();
    for (const [key, watched] of this.#watched) {
      const table = this.#upload.drain(watched.ring, watched.isRemoved);
      if (table.tsSec.length > 0) tables.set(key, table);
      if (!watched.isRemoved) continue;
      this.#watched.delete(key);
      this.#countOfUser(watched.uid ?? null, -1);
    }
    this.#shareRings();
    return tables;
  }

  /** The newest values of one process by names of PROCESS_METRICS; null for an unknown key. */
  newest(key: string): Record<string, number | null> | null {
    return this.#watched.get(key)?.ring.newest() ?? null;
  }

  /** The last `seconds` of one process, whoever drained them; null for an unknown key. */
  recent(key: string, seconds: number): SecondsTable | null {
    return this.#watched.get(key)?.ring.last(seconds) ?? null;
  }

  /** The seconds of one process from one to another, both included, as far as its ring goes back; null for an unknown key. */
  between(key: string, fromTsSec: number, toTsSec: number): SecondsTable | null {
    return this.#watched.get(key)?.ring.between(fromTsSec, toTsSec) ?? null;
  }

  /** The daemon stops: the next drain has all that there is. */
  release(): void {
    this.#upload.release();
  }

  /** Closes the kernel's files. */
  stop(): void {
    this.#cgroups.close();
  }

  #shareRings(): void {
    const processes = 2 ** Math.ceil(Math.log2(Math.max(1, this.#watched.size)));
    const seconds = Math.floor(
      RING_BYTES / processes / SecondsRing.bytesPerSecond(COLUMNS.length, PRECISION),
    );
    this.#ringSeconds = Math.min(MAX_RING_SECONDS, seconds);
    for (const { ring } of this.#watched.values()) ring.resize(this.#ringSeconds);
  }

  #ofHost(pid: number, trees: Tick["trees"]): SecondValues {
    const tree = trees.get(pid);
    const io = this.#host?.ioOf(pid) ?? null;
    return {
      treeCpuRatio: tree?.cpuRatio ?? null,
      treeRssBytes: tree?.rssBytes ?? null,
      treeProcesses: tree?.processes ?? null,
      ioReadBytesPerSecond: io?.readBytesPerSecond ?? null,
      ioWriteBytesPerSecond: io?.writeBytesPerSecond ?? null,
    };
  }

  #hasRoom(uid: number | null): boolean {
    if (this.#watched.size >= MAX_PROCESSES) return false;
    return uid === null || (this.#ofUser.get(uid) ?? 0) < MAX_PROCESSES_OF_USER;
  }

  #countOfUser(uid: number | null, more: number): void {
    if (uid === null) return;
    const count = (this.#ofUser.get(uid) ?? 0) + more;
    if (count === 0) this.#ofUser.delete(uid);
    else this.#ofUser.set(uid, count);
  }

  #judge(watched: Watched, usage: pidusage.Status | undefined, { tsSec, monoMs, trees }: Tick): SecondValues {
    if (usage === undefined) {
      if (isAskable(watched, monoMs)) watched.askAgainMonoMs = monoMs + ASK_AGAIN_AFTER_MS;
      watched.hasHistory = false;
      this.#counts.forget(watched.pid);
      return {};
    }
    if (watched.standing === "unchecked")
      watched.standing = isSameProcess(watched, usage) ? "sampled" : "foreign";
    if (watched.standing === "foreign") return {};
    const cpuRatio = watched.hasHistory && usage.cpu >= 0 ? usage.cpu / 100 : null;
    watched.hasHistory = true;
    return {
      cpuRatio,
      rssBytes: usage.memory,
      ...this.#counts.sample(watched.pid, tsSec, monoMs),
      ...this.#cgroups.sample(watched.pid, monoMs),
      ...this.#ofHost(watched.pid, trees),
    };
  }
}

function isAskable(watched: Watched, monoMs: number): boolean {
  return watched.standing !== "foreign" && monoMs >= watched.askAgainMonoMs;
}

function isSameProcess(watched: Watched, usage: pidusage.Status): boolean {
  return Math.abs(usage.timestamp - usage.elapsed - watched.startUnixMs) <= SAME_START_MS;
}

/** By pid; those that have gone are missing. */
async function readUsage(watched: readonly Watched[]): Promise<Map<number, pidusage.Status>> {
  const found = new Map<number, pidusage.Status>();
  const pids = [...new Set(watched.map(({ pid }) => pid))];
  if (pids.length === 0) return found;
  try {
    const answers: Record<string, pidusage.Status | null | undefined> = await pidusage(pids, {
      maxage: HISTORY_MS,
    });
    for (const pid of pids) {
      const answer = answers[pid];
      if (answer) found.set(pid, answer);
    }
  } catch {
    // All of them have gone.
  }
  return found;
}
