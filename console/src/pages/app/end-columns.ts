import type { AppEnd, Column, Columns } from "../../data/answers.ts";

/** Far more than a report has: what a hostile one must not make the page allocate. */
const MAX_SECONDS = 600;

/** A report's seconds as equal steps up to its end; seconds that were not measured are null. Null when there are none. */
export function endColumns({ curve, unixMs }: Pick<AppEnd, "curve" | "unixMs">): Columns | null {
  const { tsSec, ...lists } = curve;
  const lastSec = tsSec.at(-1);
  if (lastSec === undefined) return null;
  const firstSec = Math.max(tsSec[0] ?? lastSec, lastSec - MAX_SECONDS + 1);
  const place = new Map(tsSec.map((second, i) => [second, i]));
  const spread = (values: Column): Column =>
    Array.from({ length: lastSec - firstSec + 1 }, (_, i) => values[place.get(firstSec + i) ?? -1] ?? null);
  return {
    from: firstSec * 1_000,
    to: Math.max((lastSec + 1) * 1_000, Math.min(unixMs, (lastSec + 10) * 1_000)),
    t0: firstSec * 1_000,
    stepMs: 1_000,
    cols: Object.fromEntries(Object.entries(lists).map(([name, values]) => [name, spread(values)])),
  };
}
