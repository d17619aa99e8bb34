const FIRST_MS = 500;
const MAX_MS = 30_000;
/** 33 connections a second: an upgrade and what the daemon sends first take a few ms. */
const MS_PER_UPLINK = 30;
/** The advice is repeated when it grows at all, and when it shrinks by that, or to the least. */
const SHRINKS_BY = 4;

/**
 * How long daemons should take to come back when they lose this collector: next to nothing for a few, 30 s for a thousand. They are
 * told while they are connected: a collector that is killed cannot tell them any more.
 */
export class FleetSpread {
  #toldMs = FIRST_MS;

  /** What a daemon is told that connects now. */
  get ms(): number {
    return this.#toldMs;
  }

  /** Takes note of the number of uplinks; true when all must be told anew. */
  update(uplinks: number): boolean {
    const wantedMs = spreadMs(uplinks);
    const isNearlyAsTold = wantedMs < this.#toldMs && wantedMs > this.#toldMs / SHRINKS_BY;
    if (wantedMs === this.#toldMs || (isNearlyAsTold && wantedMs > FIRST_MS)) return false;
    this.#toldMs = wantedMs;
    return true;
  }
}

/** In steps of two, so that few changes must be told. */
function spreadMs(uplinks: number): number {
  const steps = Math.ceil(Math.log2(Math.max(1, (uplinks * MS_PER_UPLINK) / FIRST_MS)));
  return Math.min(FIRST_MS * 2 ** steps, MAX_MS);
}
