export type Values = readonly (number | null)[];

/**
 * Upper edges of stacked layers, bottom layer first: edges[k][i] = layers[0][i] + … + layers[k][i].
 * Where no layer has a value every edge is null (a gap); a single missing layer adds nothing.
 */
export function stackedEdges(layers: readonly Values[]): (number | null)[][] {
  const length = Math.max(0, ...layers.map((layer) => layer.length));
  const edges = layers.map(() => Array.from({ length }, (): number | null => null));
  for (let i = 0; i < length; i++) {
    if (layers.every((layer) => (layer[i] ?? null) === null)) continue;
    let sum = 0;
    edges.forEach((edge, k) => {
      sum += layers[k]?.[i] ?? 0;
      edge[i] = sum;
    });
  }
  return edges;
}

/** Positions of values with no neighbour, which a line through them would not show. */
export function lonePoints(values: Values): number[] {
  const lone: number[] = [];
  for (let i = 0; i < values.length; i++) {
    const isAlone = (values[i - 1] ?? null) === null && (values[i + 1] ?? null) === null;
    if ((values[i] ?? null) !== null && isAlone) lone.push(i);
  }
  return lone;
}

/**
 * Runs [first, last] of positions where nothing arrived, after the first arrival. The run at the end counts
 * only when it is longer than `graceLength`, because the newest numbers are still on their way.
 */
export function missingRuns(arrived: readonly boolean[], graceLength: number): [number, number][] {
  const runs: [number, number][] = [];
  const first = arrived.indexOf(true);
  if (first < 0) return runs;
  let start = -1;
  for (let i = first; i <= arrived.length; i++) {
    const isMissing = i < arrived.length && !arrived[i];
    if (isMissing && start < 0) start = i;
    if (isMissing || start < 0) continue;
    const reachesEnd = i === arrived.length;
    if (!reachesEnd || i - start > graceLength) runs.push([start, i - 1]);
    start = -1;
  }
  return runs;
}

/** Mean of the known values; null without any. */
export function mean(values: Values): number | null {
  let sum = 0;
  let known = 0;
  for (const value of values) {
    if (value === null) continue;
    sum += value;
    known++;
  }
  return known === 0 ? null : sum / known;
}

/** The values with those that are not yet final blanked: the buckets that end after `closedUntilMs`. */
export function closedValues(
  values: Values,
  t0: number,
  stepMs: number,
  closedUntilMs: number,
): (number | null)[] {
  return values.map((value, index) => (t0 + (index + 1) * stepMs > closedUntilMs ? null : value));
}
