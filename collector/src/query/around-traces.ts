import type { ChosenTrace, MetricValues, Store } from "../store/store.ts";
import { MIN_SELECTED, MIN_SIDE } from "./differences.ts";
import { BANDS } from "./trace-attributes.ts";

/**
 * The highest values around each trace, of those metrics by which the two sides can differ at all: seconds are many rows to look through. None where the
 * seconds of too few on one side are still kept, and of the rest only metrics that are high around enough of the selected ones.
 */
export async function aroundTraces(
  { selections }: Store,
  traces: readonly ChosenTrace[],
): Promise<(trace: ChosenTrace) => MetricValues> {
  const kept = traces.filter((trace) => selections.hasSeconds(trace));
  const selected = kept.filter(({ isSelected }) => isSelected);
  const rest = kept.filter(({ isSelected }) => !isSelected);
  if (Math.min(selected.length, rest.length) < MIN_SIDE) return () => ({});
  const ofSelected = await selections.around(selected, Object.keys(BANDS));
  const isHigh = (values: MetricValues, metric: string, least: number): boolean =>
    (values[metric] ?? Number.NEGATIVE_INFINITY) >= least;
  const metrics = Object.entries(BANDS)
    .filter(([metric, least]) => {
      const high = [...ofSelected.values()].filter((values) => isHigh(values, metric, least));
      return high.length >= MIN_SELECTED;
    })
    .map(([metric]) => metric);
  if (metrics.length === 0) return () => ({});
  const ofRest = await selections.around(rest, metrics);
  return (trace) => ofSelected.get(trace) ?? ofRest.get(trace) ?? {};
}
