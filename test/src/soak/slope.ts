export interface Point {
  t: number;
  value: number;
}

export interface Slope {
  /** By how much a value grows in one unit of time, by least squares. 0 with fewer than two times. */
  slope: number;
  /** Standard error of that; infinite with fewer than three points. */
  error: number;
}

/** Least-squares slope of values over times. Its error holds for points whose deviations from the line are independent. */
export function slope(points: readonly Point[]): Slope {
  const mean = (of: (point: Point) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const meanT = mean(({ t }) => t);
  const meanValue = mean(({ value }) => value);
  let covariance = 0;
  let variance = 0;
  for (const { t, value } of points) {
    covariance += (t - meanT) * (value - meanValue);
    variance += (t - meanT) ** 2;
  }
  if (variance === 0) return { slope: 0, error: Number.POSITIVE_INFINITY };
  const fitted = covariance / variance;
  const squares = points.reduce(
    (sum, { t, value }) => sum + (value - meanValue - fitted * (t - meanT)) ** 2,
    0,
  );
  const error =
    points.length < 3 ? Number.POSITIVE_INFINITY : Math.sqrt(squares / (points.length - 2) / variance);
  return { slope: fitted, error };
}

/**
 * Medians of blocks of so much time: one point each, in its middle. Memory goes up and down with the garbage collector over seconds and
 * minutes; what is left of that from one block to the next is near to independent.
 */
export function blockMedians(points: readonly Point[], blockLength: number): Point[] {
  const first = points[0]?.t ?? 0;
  const blocks = new Map<number, number[]>();
  for (const { t, value } of points) {
    const block = Math.floor((t - first) / blockLength);
    blocks.set(block, [...(blocks.get(block) ?? []), value]);
  }
  return [...blocks].map(([block, values]) => ({
    t: first + (block + 0.5) * blockLength,
    value: values.sort((a, b) => a - b)[values.length >> 1] as number,
  }));
}
