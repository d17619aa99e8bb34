import type { FoundSummary, SecondsTable, TraceSummary, Verdict, VerdictCounts } from "@apm-daemon/protocol";
import type { Logger } from "pino";
import { LocalTargets } from "./local-targets.ts";
import { type BusyProcess, noisyProcess } from "./noisy-process.ts";
import type { TimeUse } from "./request-time.ts";
import { BASELINE_SEC, Seconds } from "./seconds.ts";
import { Surroundings } from "./surroundings.ts";
import { judge } from "./verdict.ts";

/** What is remembered of the host; times are Unix seconds, both inclusive. */
export interface HostMemory {
  between(fromTsSec: number, toTsSec: number): SecondsTable;
  busiest(fromTsSec: number, toTsSec: number): BusyProcess[];
}

export interface ProcessMemory {
  /** Null for a process that is not known. */
  between(instance: string, fromTsSec: number, toTsSec: number): SecondsTable | null;
}

export interface WhySlowOptions {
  host: HostMemory;
  processes: ProcessMemory;
  cores: () => number;
  /** The processes of apps that are there, or were just now. */
  instances: () => readonly { instance: string; pid: number }[];
  apdexTMs: (app: string) => number;
  monoMs: () => number;
  /** CPU time of this process. */
  cpuMs: () => number;
  log: Logger;
}

/** A request and where its time went; null when its spans could not be read. */
export interface ExplainedTrace {
  summary: TraceSummary | FoundSummary;
  use: TimeUse | null;
}

/** Frustrated by the definition of Apdex. */
const FRUSTRATED_FACTOR = 4;
/**
 * Of one seal, so that it is not late for its verdicts, however many long requests it has: 1,000 took 15 to 40 ms, 250 ms in a daemon
 * that has just begun. The rest is left out. CPU time, because a starved host is just where verdicts are wanted.
 */
const BUDGET_CPU_MS = 500;

/** Makes the verdicts of a seal. It never throws: what fails is logged once, and counted. */
export class WhySlow {
  readonly #options: WhySlowOptions;
  readonly #local = new LocalTargets();
  #problem = "";
  readonly counts: VerdictCounts = { made: 0, failed: 0, leftOut: 0 };

  constructor(options: WhySlowOptions) {
    this.#options = options;
  }

  /** One for each of the traces that are slow or failed, null for the others. */
  explain(traces: readonly ExplainedTrace[]): (Verdict | null)[] {
    const wanted = traces.filter((trace) => this.#isSlow(trace));
    if (wanted.length === 0) return traces.map(() => null);
    try {
      this.#local.refresh(this.#options.monoMs());
      const memory = new SealMemory(this.#options, wanted);
      const endCpuMs = this.#options.cpuMs() + BUDGET_CPU_MS;
      return traces.map((trace) => (this.#isSlow(trace) ? this.#tryOne(trace, memory, endCpuMs) : null));
    } catch (error) {
      this.#failedWith(error, wanted.length);
      return traces.map(() => null);
    }
  }

  #isSlow({ summary, use }: ExplainedTrace): boolean {
    if (use === null) return false;
    const { reason, durationUs, app, error } = summary;
    const isKeptAsSuch = reason === "slow" || reason === "n_plus_one";
    return error || isKeptAsSuch || durationUs > FRUSTRATED_FACTOR * this.#options.apdexTMs(app) * 1_000;
  }

  #tryOne(trace: ExplainedTrace, memory: SealMemory, endCpuMs: number): Verdict | null {
    if (this.#options.cpuMs() > endCpuMs) {
      this.counts.leftOut++;
      return null;
    }
    try {
      const verdict = this.#one(trace, memory);
      this.counts.made++;
      return verdict;
    } catch (error) {
      this.#failedWith(error, 1);
      return null;
    }
  }

  #one({ summary, use }: ExplainedTrace, memory: SealMemory): Verdict | null {
    if (use === null) return null;
    const { instance, startUnixMs, durationUs } = summary;
    const endUnixMs = startUnixMs + durationUs / 1_000;
    return judge({
      durationMs: durationUs / 1_000,
      use,
      around: new Surroundings(memory.host, memory.processOf(instance), startUnixMs, endUnixMs),
      cores: this.#options.cores(),
      isLocal: (target) => this.#local.has(target),
      noisyProcess: (noise) =>
        noisyProcess(memory, noise, startUnixMs, endUnixMs, memory.pids.get(instance) ?? null),
    });
  }

  #failedWith(error: unknown, requests: number): void {
    this.counts.failed += requests;
    const problem = String(error);
    if (problem === this.#problem) return;
    this.#problem = problem;
    this.#options.log.error(
      { err: error },
      "why requests were slow could not be found out; they are stored without it, please report this",
    );
  }
}

/** The seconds that the verdicts of one seal look at, each table read once. */
class SealMemory {
  readonly host: Seconds;
  /** By instance. */
  readonly pids: ReadonlyMap<string, number>;
  readonly #options: WhySlowOptions;
  readonly #fromSec: number;
  readonly #toSec: number;
  readonly #processes = new Map<string, Seconds | null>();
  readonly #busiest = new Map<string, BusyProcess[]>();

  constructor(options: WhySlowOptions, traces: readonly ExplainedTrace[]) {
    const starts = traces.map(({ summary }) => summary.startUnixMs);
    const ends = traces.map(({ summary }) => summary.startUnixMs + summary.durationUs / 1_000);
    this.#options = options;
    this.#fromSec = Math.floor(Math.min(...starts) / 1_000) - BASELINE_SEC;
    // What processes tell of themselves comes later than the seconds that it is about.
    this.#toSec = Math.floor(Math.max(...ends) / 1_000) + 2;
    this.pids = new Map(options.instances().map(({ instance, pid }) => [instance, pid]));
    this.host = new Seconds(options.host.between(this.#fromSec, this.#toSec));
  }

  busiest(fromTsSec: number, toTsSec: number): BusyProcess[] {
    const key = `${fromTsSec} ${toTsSec}`;
    let busiest = this.#busiest.get(key);
    if (busiest === undefined) {
      busiest = this.#options.host.busiest(fromTsSec, toTsSec);
      this.#busiest.set(key, busiest);
    }
    return busiest;
  }

  processOf(instance: string): Seconds | null {
    const known = this.#processes.get(instance);
    if (known !== undefined) return known;
    const table = this.#options.processes.between(instance, this.#fromSec, this.#toSec);
    const seconds = table === null ? null : new Seconds(table);
    this.#processes.set(instance, seconds);
    return seconds;
  }
}

/** The field is only there when it says something. */
export function withVerdict<Summary extends object>(
  summary: Summary,
  verdict: Verdict | null | undefined,
): Summary & { verdict?: Verdict } {
  return verdict ? { ...summary, verdict } : summary;
}
