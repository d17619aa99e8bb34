import type { HostMetric, SecondsTable } from "@apm-daemon/protocol";
import { coarsen } from "./coarsen.ts";
import type { SecondsRing } from "./seconds-ring.ts";

/** Takes from rings what is sent to the collector, in rows of `resolutionSec` seconds; what is kept here stays as sampled. */
export class UploadResolution {
  readonly #resolutionSec: number;
  readonly #metrics: readonly HostMetric[];
  #isReleased = false;

  constructor(metrics: readonly HostMetric[], resolutionSec = 1) {
    this.#metrics = metrics;
    this.#resolutionSec = resolutionSec;
  }

  /** A row whose last second is still to come stays for the next drain, so that it is sent once and whole; not when this is the last. */
  drain(ring: SecondsRing, isLast = false): SecondsTable {
    const resolutionSec = this.#resolutionSec;
    if (resolutionSec === 1) return ring.drain();
    const wholeUntil = Math.floor((ring.newestTsSec + 1) / resolutionSec) * resolutionSec;
    const table = ring.drain(isLast || this.#isReleased ? Number.POSITIVE_INFINITY : wholeUntil);
    return coarsen(table, this.#metrics, resolutionSec);
  }

  /** From now on each drain may be the last: the daemon stops. */
  release(): void {
    this.#isReleased = true;
  }
}
