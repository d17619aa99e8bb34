import { stackedEdges, type Values } from "./stack.ts";
import type { PlotSeries, PlotShape } from "./time-plot.ts";

/** Places of the series in the order in which they are drawn: a stack from its top layer down, so that each covers the one before. */
export function drawOrder(shape: PlotShape): number[] {
  const indexes = shape.series.map((_, index) => index);
  if (shape.kind === "lines") return indexes;
  const place = (index: number): number => {
    const series = shape.series[index];
    return series?.isDashed ? -1 : (series?.layer ?? 0);
  };
  return indexes.sort((a, b) => place(b) - place(a));
}

/** The values with those of a stack made into its upper edges; what is hidden or dashed stays out of it. */
export function layeredValues(series: readonly PlotSeries[], values: readonly Values[]): (number | null)[][] {
  const bottomFirst = series
    .map((_, index) => index)
    .filter((index) => !series[index]?.isDashed)
    .sort((a, b) => (series[a]?.layer ?? 0) - (series[b]?.layer ?? 0));
  const edges = stackedEdges(bottomFirst.map((index) => values[index] ?? []));
  const drawn = values.map((list) => [...list]);
  bottomFirst.forEach((index, place) => {
    const isHidden = values[index]?.every((value) => value === null) ?? true;
    if (!isHidden) drawn[index] = edges[place] ?? [];
  });
  return drawn;
}

/** For a logarithmic axis, which has no zero. */
export function positive(values: readonly (number | null | undefined)[]): (number | null)[] {
  return values.map((value) => (value === null || value === undefined ? null : Math.max(value, 0.001)));
}
