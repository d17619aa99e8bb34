/** No counter of a host moves by 2^48 between two samples: such a step is a wrap, a reset or a driver's fault. */
const IMPLAUSIBLE_DELTA = 2 ** 48;

/** What a counter grew by; null when it went back, jumped absurdly, or one side is NaN (absent). */
export function counterDelta(now: number, before: number): number | null {
  const delta = now - before;
  return delta >= 0 && delta < IMPLAUSIBLE_DELTA ? delta : null;
}

/** Growth per second over `elapsedSec`; null as in `counterDelta`, and without elapsed time. */
export function ratePerSecond(now: number, before: number, elapsedSec: number): number | null {
  const delta = counterDelta(now, before);
  return delta === null || !(elapsedSec > 0) ? null : delta / elapsedSec;
}

/** A gauge: NaN (absent) becomes null. */
export function presentOrNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
