import type { HostMetric, SecondsTable } from "@apm-daemon/protocol";

/**
 * One row for each `resolutionSec` seconds that begin at a multiple of it, named by the first of them that was sampled; each column
 * combined as its metric says. A second without a value counts for nothing.
 */
export function coarsen(
  { tsSec, columns }: SecondsTable,
  metrics: readonly HostMetric[],
  resolutionSec: number,
): SecondsTable {
  if (resolutionSec === 1 || tsSec.length === 0) return { tsSec, columns };
  const groups: { from: number; to: number }[] = [];
  let current = Number.NaN;
  for (const [i, second] of tsSec.entries()) {
    const group = Math.floor(second / resolutionSec);
    const last = groups.at(-1);
    if (last !== undefined && group === current) last.to = i + 1;
    else groups.push({ from: i, to: i + 1 });
    current = group;
  }
  const coarse: SecondsTable["columns"] = {};
  for (const { name, combined } of metrics) {
    const column = columns[name];
    if (column !== undefined)
      coarse[name] = groups.map(({ from, to }) => combine(column.slice(from, to), combined));
  }
  return { tsSec: groups.map(({ from }) => tsSec[from] ?? 0), columns: coarse };
}

function combine(seconds: readonly (number | null)[], how: HostMetric["combined"]): number | null {
  const values = seconds.filter((value) => value !== null);
  if (values.length === 0) return null;
  if (how === "max") return Math.max(...values);
  const sum = values.reduce((total, value) => total + value, 0);
  return how === "sum" ? sum : sum / values.length;
}
