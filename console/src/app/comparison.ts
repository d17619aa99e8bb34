import { computed } from "@preact/signals";
import type { Column, Columns } from "../data/answers.ts";
import { pageRange, search } from "./location.ts";
import type { Range } from "./time-range.ts";
import { choice } from "./url-state.ts";

/** What the page is compared with: nothing, the day before, the week before. */
export const COMPARISONS = ["none", "1d", "7d"] as const;
export type Comparison = (typeof COMPARISONS)[number];

export const comparison = computed<Comparison>(() => choice(search.value, "cmp", COMPARISONS));

/** The range to compare with, at the same local wall-clock time; null without comparison. */
export const comparedRange = computed<Range | null>(() => {
  if (comparison.value === "none") return null;
  const days = comparison.value === "1d" ? 1 : 7;
  const shiftMs = pageRange.value.fromMs - daysBefore(pageRange.value.fromMs, days);
  return { fromMs: pageRange.value.fromMs - shiftMs, toMs: pageRange.value.toMs - shiftMs };
});

function daysBefore(unixMs: number, days: number): number {
  const date = new Date(unixMs);
  date.setDate(date.getDate() - days);
  return date.getTime();
}

/** A column of the compared range laid over the buckets of `target`; null where it has no bucket. */
export function alignedColumn(target: Columns, compared: Columns | null, name: string): Column {
  const length = Object.values(target.cols)[0]?.length ?? 0;
  const column = compared?.cols[name] ?? [];
  if (!compared || compared.stepMs !== target.stepMs) return Array.from({ length }, () => null);
  const shiftMs = target.from - compared.from;
  const offset = Math.round((target.t0 - shiftMs - compared.t0) / target.stepMs);
  return Array.from({ length }, (_, index) => column[index + offset] ?? null);
}
