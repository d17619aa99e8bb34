/** Least-squares slope of values over times: by how much a value grows in one unit of time. 0 with fewer than two times. */
export function slope(points: readonly { t: number; value: number }[]): number {
  const mean = (of: (point: { t: number; value: number }) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const meanT = mean(({ t }) => t);
  const meanValue = mean(({ value }) => value);
  let covariance = 0;
  let variance = 0;
  for (const { t, value } of points) {
    covariance += (t - meanT) * (value - meanValue);
    variance += (t - meanT) ** 2;
  }
  return variance === 0 ? 0 : covariance / variance;
}
