import { computed } from "@preact/signals";
import type { Column, Columns } from "../data/answers.ts";
import { daysBefore } from "../ui/zone.ts";
import { alignedTo } from "./aligned-column.ts";
import { pageRange, search } from "./location.ts";
import type { Range } from "./time-range.ts";
import { choice } from "./url-state.ts";

/** What the page is compared with: nothing, the range just before, the day before, the week before. */
export const COMPARISONS = ["none", "prev", "1d", "7d"] as const;
export type Comparison = (typeof COMPARISONS)[number];

export const comparison = computed<Comparison>(() => choice(search.value, "cmp", COMPARISONS));

/** The time that a moment of the page is compared with: of other days at the same wall-clock time. */
function back(unixMs: number): number {
  const { fromMs, toMs } = pageRange.value;
  if (comparison.value === "prev") return unixMs - (toMs - fromMs);
  return daysBefore(unixMs, comparison.value === "1d" ? 1 : 7);
}

/** The range to compare with; null without comparison. */
export const comparedRange = computed<Range | null>(() => {
  if (comparison.value === "none") return null;
  const { fromMs, toMs } = pageRange.value;
  return { fromMs: back(fromMs), toMs: back(toMs) };
});

/** A column of the compared range laid over the buckets of `target`; null where it has no bucket. */
export function alignedColumn(target: Columns, compared: Columns | null, name: string): Column {
  return alignedTo(target, compared, name, back);
}
