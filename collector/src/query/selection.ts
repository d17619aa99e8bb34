import { type SparseHistogram, type TraceAnswer, traceAnswer } from "@apm-daemon/protocol";
import type { RequestTotals, Selection, Store } from "../store/store.ts";
import { requireApp } from "./apps.ts";
import { aroundTraces } from "./around-traces.ts";
import { bucketEdgeMs, nearestEdge } from "./bucket-edges.ts";
import { type Described, type Difference, rankDifferences, type Tally, tallies } from "./differences.ts";
import { answeredRange, type QueryRange, WINDOW_SEC } from "./time-range.ts";
import { traceAttributes } from "./trace-attributes.ts";

/** Kept traces that are looked at on each side. */
const SAMPLE = 200;
const SLOWEST = 20;
/** No request takes 30 years. */
const LONGEST_US = 1e15;

export interface SelectionAnswer {
  app: string;
  action: string;
  from: number;
  to: number;
  /** As used: whole windows, or the longer units that are left of them, within the range, and the nearest edges of histogram buckets. `maxMs` null: no limit. */
  selected: {
    from: number;
    to: number;
    minMs: number;
    maxMs: number | null;
    requests: number;
    kept: number;
    sampled: number;
  };
  rest: { requests: number; kept: number; sampled: number };
  /** More frequent in the selection, the largest difference of shares first. */
  differences: Difference[];
  /** The slowest kept ones of the selection. */
  traces: TraceAnswer[];
}

export interface SelectionParameters {
  action: string;
  selectedFrom: number;
  selectedTo: number;
  minMs: number;
  maxMs?: number | undefined;
}

/** The requests in a part of the heatmap, and what they have more often than the rest of the range. */
export async function selection(
  store: Store,
  app: string,
  range: QueryRange,
  parameters: SelectionParameters,
): Promise<SelectionAnswer> {
  await requireApp(store, app);
  const { action } = parameters;
  const unitSec = Math.max(WINDOW_SEC, store.resolutionSec(range));
  const firstBucket = nearestEdge(parameters.minMs);
  const endBucket = parameters.maxMs === undefined ? Number.POSITIVE_INFINITY : nearestEdge(parameters.maxMs);
  const maxMs = endBucket === Number.POSITIVE_INFINITY ? null : bucketEdgeMs(endBucket);
  const wanted: Selection = {
    range,
    app,
    action,
    selected: {
      fromSec: Math.max(range.fromSec, Math.floor(parameters.selectedFrom / 1000 / unitSec) * unitSec),
      toSec: Math.min(range.toSec, Math.ceil(parameters.selectedTo / 1000 / unitSec) * unitSec),
    },
    minUs: firstBucket === 0 ? -1 : bucketEdgeMs(firstBucket) * 1000,
    maxUs: maxMs === null ? LONGEST_US : maxMs * 1000,
  };
  const by = ["host", "status"] as const;
  // The sample leads to more questions, and takes longest: the others find room beside it.
  const [sample, whole, within, slowest] = await Promise.all([
    describedSample(store, wanted),
    store.requests.totals({ range, app, action }, { by, withHistograms: false }),
    store.requests.totals({ range: wanted.selected, app, action }, { by, withHistograms: true }),
    store.selections.slowest(wanted, SLOWEST),
  ]);
  // Of old requests no host is kept; their traces know it.
  const counters = by.filter((name) => name !== "host" || whole.every(({ host }) => host !== ""));
  const counted = countRequests(counters, whole, within, ({ buckets, counts }) =>
    buckets.reduce(
      (sum, bucket, i) => sum + (bucket >= firstBucket && bucket < endBucket ? (counts[i] ?? 0) : 0),
      0,
    ),
  );
  const { described } = sample;
  // Of these the counters know more than the kept traces do.
  const ofTraces = tallies(described).filter(({ attribute }) => !counters.some((name) => name === attribute));
  const sampledSelected = described.filter(({ isSelected }) => isSelected).length;
  return {
    app,
    action,
    ...answeredRange(range),
    selected: {
      ...answeredRange(wanted.selected),
      minMs: bucketEdgeMs(firstBucket),
      maxMs,
      requests: counted.selected,
      kept: sample.keptSelected,
      sampled: sampledSelected,
    },
    rest: {
      requests: counted.rest,
      kept: sample.keptRest,
      sampled: described.length - sampledSelected,
    },
    differences: rankDifferences([...counted.tallies, ...ofTraces]),
    traces: slowest.map(traceAnswer),
  };
}

/** Kept traces of both sides, and how many more there are. */
async function describedSample(
  store: Store,
  wanted: Selection,
): Promise<{ described: Described[]; keptSelected: number; keptRest: number }> {
  const { traces, ...kept } = await store.selections.sample(wanted, SAMPLE);
  const [described, around] = await Promise.all([
    store.selections.described(wanted, traces),
    aroundTraces(store, traces),
  ]);
  return {
    described: [...described].map(([trace, known]) => ({
      isSelected: trace.isSelected,
      attributes: traceAttributes(known, around(trace)),
    })),
    ...kept,
  };
}

/** Exact counts by host and by status code: what is in the selection, and what else is in the range. */
function countRequests(
  by: readonly ("host" | "status")[],
  whole: readonly RequestTotals[],
  within: readonly RequestTotals[],
  selectedIn: (histogram: SparseHistogram) => number,
): { selected: number; rest: number; tallies: Tally[] } {
  const requests = whole.reduce((sum, row) => sum + row.requests, 0);
  const selected = within.reduce((sum, row) => sum + selectedIn(row.histogram), 0);
  const rest = requests - selected;
  const found = by.flatMap((attribute) =>
    [...new Set(whole.map((row) => row[attribute]))].map((value): Tally => {
      const sum = (rows: readonly RequestTotals[], count: (row: RequestTotals) => number): number =>
        rows.reduce((total, row) => total + (row[attribute] === value ? count(row) : 0), 0);
      const inside = sum(within, (row) => selectedIn(row.histogram));
      return {
        attribute,
        value: String(value),
        basis: "requests",
        selected: inside,
        selectedOf: selected,
        rest: sum(whole, (row) => row.requests) - inside,
        restOf: rest,
      };
    }),
  );
  return { selected, rest, tallies: found };
}
