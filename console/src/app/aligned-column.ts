import type { Column, Columns } from "../data/answers.ts";

/** A column of an earlier range laid over the buckets of `target`, where `back` says which time each is compared with; null where that has no bucket. */
export function alignedTo(
  target: Columns,
  compared: Columns | null,
  name: string,
  back: (unixMs: number) => number,
): Column {
  const length = Object.values(target.cols)[0]?.length ?? 0;
  const column = compared?.cols[name] ?? [];
  return Array.from({ length }, (_, i) => {
    if (!compared) return null;
    const place = (back(target.t0 + i * target.stepMs) - compared.t0) / compared.stepMs;
    // Of equal steps the nearest; else the one that the bucket begins in.
    const index = compared.stepMs === target.stepMs ? Math.round(place) : Math.floor(place);
    return column[index] ?? null;
  });
}
