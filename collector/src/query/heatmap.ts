import type { SparseHistogram } from "@apm-daemon/protocol";
import type { RequestTotals, Store } from "../store/store.ts";
import { requireApp } from "./apps.ts";
import { bucketEdgeMs } from "./bucket-edges.ts";
import { groupedBy } from "./grouped-by.ts";
import { addedUpRequests } from "./request-statistics.ts";
import { answeredRange, type QueryRange, stepsOf } from "./time-range.ts";

const MAX_COLUMNS = 300;
/** With the one for what lies beyond the axis. */
const MAX_ROWS = 60;
/** Histogram buckets of one row: each divides a doubling, so that rows of any picture fall on the same edges. */
const ROW_BUCKETS = [1, 2, 4, 8, 16, 32] as const;
/** The axis ends with the row that holds this share of the requests, if it would have to double for the rest. */
const AXIS_SHARE = 0.999;
const DOUBLING_BUCKETS = 32;

export interface HeatmapAnswer {
  app: string;
  action: string;
  from: number;
  to: number;
  t0: number;
  stepMs: number;
  requests: number;
  /** Ascending; `fromMs < duration <= toMs`. `toMs` of a last row with what lies beyond the axis is null. */
  rows: { fromMs: number; toMs: number | null }[];
  /** Cells with requests: all three lists have the same length. */
  cells: { column: number[]; row: number[]; requests: number[] };
  /** Whether the app reported, column by column; the rest is not known. */
  reported: boolean[];
}

/** How many requests of an action took how long, over time. */
export async function heatmap(
  store: Store,
  app: string,
  range: QueryRange,
  { action, stepMs = 0 }: { action: string; stepMs?: number | undefined },
): Promise<HeatmapAnswer> {
  await requireApp(store, app);
  const { stepSec, firstSec, count } = stepsOf(range, store.resolutionSec(range), stepMs / 1000, MAX_COLUMNS);
  // The series of the same action, on the same page, ask for the same: it is then asked once.
  const [byStatus, reportedSteps] = await Promise.all([
    store.requests.totals({ range, app, action }, { by: ["kind", "status"], stepSec, withHistograms: true }),
    store.apps.reportedSteps(app, range, stepSec),
  ]);
  const totals = [...groupedBy(byStatus, ({ stepStartSec }) => stepStartSec)].flatMap(
    ([stepStartSec, rows]) => {
      const sums = addedUpRequests(rows);
      return sums === undefined ? [] : [{ ...sums, stepStartSec }];
    },
  );
  const columnOf = (startSec: number): number => (startSec - firstSec) / stepSec;
  const reported = Array.from({ length: count }, () => false);
  for (const startSec of [...reportedSteps, ...totals.map((row) => row.stepStartSec)])
    reported[columnOf(startSec)] = true;
  const axis = axisOf(totals.map(({ histogram }) => histogram));
  return {
    app,
    action,
    ...answeredRange(range),
    t0: firstSec * 1000,
    stepMs: stepSec * 1000,
    requests: totals.reduce((sum, row) => sum + row.requests, 0),
    rows: axis === null ? [] : rowsOf(axis),
    cells: cellsOf(axis, totals, columnOf),
    reported,
  };
}

/** In bucket indexes: rows of `step` from `first` up to `end`, and one more when something lies there or above. */
interface Axis {
  first: number;
  end: number;
  step: number;
  hasBeyond: boolean;
}

function axisOf(histograms: readonly SparseHistogram[]): Axis | null {
  const counts = new Map<number, number>();
  let total = 0;
  for (const { buckets, counts: ofBuckets } of histograms) {
    for (const [i, bucket] of buckets.entries()) {
      const n = ofBuckets[i] ?? 0;
      counts.set(bucket, (counts.get(bucket) ?? 0) + n);
      total += n;
    }
  }
  const sorted = [...counts.keys()].sort((a, b) => a - b);
  const lowest = sorted[0];
  const highest = sorted.at(-1);
  if (lowest === undefined || highest === undefined) return null;
  let seen = 0;
  const most = sorted.find((bucket) => {
    seen += counts.get(bucket) ?? 0;
    return seen >= total * AXIS_SHARE;
  });
  const last = most !== undefined && highest - most > DOUBLING_BUCKETS ? most : highest;
  const rowsAt = (step: number): number => Math.floor(last / step) - Math.floor(lowest / step) + 1;
  const step = ROW_BUCKETS.find((one) => rowsAt(one) < MAX_ROWS) ?? DOUBLING_BUCKETS;
  const end = (Math.floor(last / step) + 1) * step;
  return { first: Math.floor(lowest / step) * step, end, step, hasBeyond: highest >= end };
}

function rowsOf({ first, end, step, hasBeyond }: Axis): HeatmapAnswer["rows"] {
  const rows: HeatmapAnswer["rows"] = [];
  for (let edge = first; edge < end; edge += step)
    rows.push({ fromMs: bucketEdgeMs(edge), toMs: bucketEdgeMs(edge + step) });
  if (hasBeyond) rows.push({ fromMs: bucketEdgeMs(end), toMs: null });
  return rows;
}

function cellsOf(
  axis: Axis | null,
  totals: readonly Pick<RequestTotals, "stepStartSec" | "histogram">[],
  columnOf: (startSec: number) => number,
): HeatmapAnswer["cells"] {
  const cells: HeatmapAnswer["cells"] = { column: [], row: [], requests: [] };
  if (axis === null) return cells;
  for (const { stepStartSec, histogram } of totals) {
    const rows = new Map<number, number>();
    for (const [i, bucket] of histogram.buckets.entries()) {
      const row = Math.floor((Math.min(bucket, axis.end) - axis.first) / axis.step);
      rows.set(row, (rows.get(row) ?? 0) + (histogram.counts[i] ?? 0));
    }
    for (const [row, requests] of rows) {
      cells.column.push(columnOf(stepStartSec));
      cells.row.push(row);
      cells.requests.push(requests);
    }
  }
  return cells;
}
