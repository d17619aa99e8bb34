/** What is usual of a measure: robust, so that the odd burst among the seconds does not move it. */
export interface Usual {
  median: number;
  /** The standard deviation of a normal distribution with this median absolute deviation. */
  spread: number;
  /** Nine of ten seconds were no higher. */
  high: number;
}

/** One measure in the seconds of a request. */
export interface Measured {
  readonly value: number;
  /** Null where too few seconds are known. */
  readonly usual: Usual | null;
}

/** With fewer seconds a median says nothing yet. */
export const MIN_USUAL_SECONDS = 10;
/** For the normal distribution: 1 / 0.6745. */
const MAD_TO_DEVIATION = 1.4826;
const HIGH_QUANTILE = 0.9;
/** The customary limit for modified z-scores. */
const UNUSUAL_SPREADS = 3.5;
/** Where nothing is known of before, a value has to speak for itself: that many times what is enough above a quiet host. */
const ALONE_FACTOR = 3;

/** Null for fewer than MIN_USUAL_SECONDS values. The array is left sorted. */
export function usualOf(values: Float64Array): Usual | null {
  if (values.length < MIN_USUAL_SECONDS) return null;
  const sorted = values.sort();
  const median = middleOf(sorted);
  const deviations = sorted.map((value) => Math.abs(value - median)).sort();
  return {
    median,
    spread: MAD_TO_DEVIATION * middleOf(deviations),
    high: sorted[Math.floor(HIGH_QUANTILE * (sorted.length - 1))] ?? median,
  };
}

/**
 * How far a value lies above what is usual, and 0 unless it is unusual: more than 3.5 spreads above the median, of at least
 * `floor` each, so that on a quiet host no noise is significant, and higher than nine of ten seconds before, so that what
 * comes in bursts all the time is usual.
 */
export function unusualExcess(measured: Measured | null, floor: number): number {
  // Measures are never negative, so what is usual need not be known of small values.
  if (measured === null || measured.value <= UNUSUAL_SPREADS * floor) return 0;
  const { value, usual } = measured;
  if (usual === null) return value > UNUSUAL_SPREADS * ALONE_FACTOR * floor ? value : 0;
  const excess = value - usual.median;
  const isUnusual = excess > UNUSUAL_SPREADS * Math.max(usual.spread, floor) && value > usual.high;
  return isUnusual ? excess : 0;
}

function middleOf(sorted: Float64Array): number {
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}
