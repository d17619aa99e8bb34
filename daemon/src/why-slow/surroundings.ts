import { type Fold, RequestSeconds } from "./request-seconds.ts";
import type { Seconds } from "./seconds.ts";
import { type Measured, unusualExcess } from "./usual.ts";

/** What a process tells of itself joins the second after the one that it is about. */
const TOLD_LATER_SEC = 1;
/** A process of which less than that of the time is known may have been anything. */
const MIN_PROCESS_COVERAGE = 0.5;

/** What a host and a process were like while one request ran. */
export class Surroundings {
  readonly #host: RequestSeconds;
  readonly #process: RequestSeconds | null;
  readonly #ofHost = new Map<string, Measured | null>();
  readonly baselineSeconds: number;
  readonly seconds: number;
  /** Share of the request's time in seconds that are known. */
  readonly coverage: number;

  constructor(host: Seconds, process: Seconds | null, startUnixMs: number, endUnixMs: number) {
    this.#host = new RequestSeconds(host, startUnixMs, endUnixMs, 0);
    const ofProcess = process && new RequestSeconds(process, startUnixMs, endUnixMs, TOLD_LATER_SEC);
    this.#process = ofProcess !== null && ofProcess.coverage >= MIN_PROCESS_COVERAGE ? ofProcess : null;
    this.baselineSeconds = host.baselineSeconds(Math.floor(startUnixMs / 1_000));
    this.seconds = this.#host.seconds;
    this.coverage = this.#host.coverage;
  }

  host(name: string): Measured | null {
    let measured = this.#ofHost.get(name);
    if (measured === undefined) {
      measured = this.#host.mean(name);
      this.#ofHost.set(name, measured);
    }
    return measured;
  }

  hostMost(name: string): number | null {
    return this.#host.most(name);
  }

  /** What the kernel says of the process, second by second. */
  process(name: string): Measured | null {
    return this.#process?.mean(name) ?? null;
  }

  /** What the process says of itself, which comes a second late. */
  told(name: string, fold: Fold): Measured | null {
    return this.#process?.told(name, fold) ?? null;
  }

  /** Share of the time in which the event loop was busy; null when the process did not say. */
  loopBusyRatio(): number | null {
    const told = this.told("eventLoopUtilizationRatio", "since");
    return told === null ? null : Math.min(1, told.value);
  }

  /** By how much a measure of the host exceeds what is usual, 0 unless that is unusual. */
  hostExcess(name: string, floor: number): number {
    return unusualExcess(this.host(name), floor);
  }
}
