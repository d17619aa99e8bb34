import type { EventLoopUtilization, IntervalHistogram } from "node:perf_hooks";
import type { LibrariesReport, RuntimeFrame } from "@apm-daemon/protocol";
import type { Counters } from "./api/counters.ts";
import { GcPauses } from "./gc-pauses.ts";
import type { OverheadContract } from "./overhead/overhead-contract.ts";
import { nowMs } from "./tracer/clock.ts";

const INTERVAL_MS = 1_000;
/** Observing needs parts of Node that an app does not wait for while it starts. */
const OBSERVE_AFTER_MS = 50;
const DELAY_RESOLUTION_MS = 20;
const MAX_IN_FLIGHT = 20;
/** What is known of libraries is told again after this many frames: the daemon may be another one. */
const LIBRARIES_EACH = 60;

export interface RuntimeSources {
  /** False while nobody would get the frames. */
  readonly isConnected: () => boolean;
  readonly spansCreated: () => number;
  readonly spansDropped: () => number;
  readonly slowRequests: (nowMs: number, most: number) => RuntimeFrame["inFlight"];
  readonly contract: OverheadContract;
  readonly counters: Pick<Counters, "pending" | "clear">;
  readonly libraries: { readonly report: LibrariesReport; readonly changes: number };
  /** False when the frame could not be taken. */
  readonly send: (frame: Omit<RuntimeFrame, "spansFramed" | "spansReported">) => boolean;
}

/** Once a second: how the event loop, the garbage collector and the heap are doing. Keeps no process alive. */
export class RuntimeMetrics {
  readonly #sources: RuntimeSources;
  #delay: IntervalHistogram | null = null;
  #gc: GcPauses | null = null;
  #utilization: EventLoopUtilization = performance.eventLoopUtilization();
  #startTimer: NodeJS.Timeout | null = null;
  #timer: NodeJS.Timeout | null = null;
  #framesSinceLibraries = 0;
  #libraryChangesTold = -1;

  constructor(sources: RuntimeSources) {
    this.#sources = sources;
  }

  start(): void {
    this.#startTimer = setTimeout(() => this.#observe(), OBSERVE_AFTER_MS);
    this.#startTimer.unref();
    this.#timer = setInterval(() => this.#sample(), INTERVAL_MS);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    if (this.#startTimer !== null) clearTimeout(this.#startTimer);
    this.#startTimer = null;
    this.#delay?.disable();
    this.#gc?.stop();
  }

  #observe(): void {
    const { monitorEventLoopDelay } = process.getBuiltinModule("node:perf_hooks");
    this.#delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
    this.#delay.enable();
    this.#gc = new GcPauses();
  }

  #sample(): void {
    this.#sources.contract.second();
    const frame = this.#read();
    this.#delay?.reset();
    if (this.#sources.isConnected()) this.#send(frame);
  }

  /** What counters have that was not sent, before the goodbye. */
  sendCounters(): void {
    if (this.#sources.counters.pending !== null) this.#send(this.#read());
  }

  #send(frame: Omit<RuntimeFrame, "spansFramed" | "spansReported">): void {
    const { counters, libraries, send } = this.#sources;
    const { pending } = counters;
    const { changes } = libraries;
    const tellsLibraries =
      changes !== this.#libraryChangesTold || ++this.#framesSinceLibraries >= LIBRARIES_EACH;
    // Counters wait until a frame takes them: frames are delivered once, whatever happens to the daemon.
    const more = {
      ...(pending !== null && { counters: pending }),
      ...(tellsLibraries && { libraries: libraries.report }),
    };
    if (!send({ ...frame, ...more })) return;
    counters.clear();
    if (!tellsLibraries) return;
    this.#libraryChangesTold = changes;
    this.#framesSinceLibraries = 0;
  }

  #read(): Omit<RuntimeFrame, "spansFramed" | "spansReported"> {
    const utilization = performance.eventLoopUtilization();
    const { utilization: ratio } = performance.eventLoopUtilization(utilization, this.#utilization);
    this.#utilization = utilization;
    const { heapUsed, heapTotal } = process.memoryUsage();
    const p99Ns = this.#delay === null || this.#delay.count === 0 ? 0 : this.#delay.percentile(99);
    return {
      unixMs: Date.now(),
      // The histogram measures the timer's whole period; the delay is what exceeds it.
      eventLoopDelayP99Ms: Math.max(0, p99Ns / 1e6 - DELAY_RESOLUTION_MS),
      eventLoopUtilizationRatio: ratio,
      gcPauseMs: this.#gc?.second(heapUsed, ratio) ?? null,
      heapUsedBytes: heapUsed,
      heapTotalBytes: heapTotal,
      spansCreated: this.#sources.spansCreated(),
      spansDropped: this.#sources.spansDropped(),
      recording: this.#sources.contract.level,
      overheadRatio: this.#sources.contract.agentRatio,
      inFlight: this.#sources.slowRequests(nowMs(), MAX_IN_FLIGHT),
    };
  }
}
