import type { Column, Columns } from "../data/answers.ts";

/** How much of what a chart draws has arrived. */
export interface ChartCompleteness {
  /** Bucket by bucket; null where nothing is known. */
  ratios: Column;
  /** Of the whole range; null where nothing is known. */
  ratio: number | null;
  /** Whose ledger tells more, as the URL names it: `app:shop` or `host:web-1`; null where there is none. */
  ledger: string | null;
}

/** What an answer says of itself; an answer that says nothing is not called complete. */
export function completenessOf(columns: Columns): ChartCompleteness {
  const { app, host, completeness, completenessRatios, cols } = columns;
  const ledger = app !== undefined ? `app:${app}` : host !== undefined ? `host:${host}` : null;
  return {
    ratios: cols["completenessRatio"] ?? completenessRatios ?? [],
    ratio: completeness?.ratio ?? null,
    ledger,
  };
}

/** Runs [first, last] of buckets of which a part was lost, but not all. */
export function partialRuns(ratios: Column): [number, number][] {
  const runs: [number, number][] = [];
  ratios.forEach((ratio, index) => {
    if (ratio === null || ratio >= 1 || ratio <= 0) return;
    const last = runs.at(-1);
    if (last?.[1] === index - 1) last[1] = index;
    else runs.push([index, index]);
  });
  return runs;
}
