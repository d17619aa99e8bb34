import type { SpanAnswer } from "@apm-daemon/protocol";

/** One line of the tree: a span, or several like siblings without children. */
export interface TreeRow {
  spans: readonly [SpanAnswer, ...SpanAnswer[]];
  /** For each level from the top, whether more siblings follow below; the last is the row's own. */
  follows: readonly boolean[];
  /** Null for tops. */
  parent: SpanAnswer | null;
  /** Its parent is named but not here. */
  isOrphan: boolean;
}

/** Fewer like siblings than this are shown one by one. */
const FOLD_FROM = 4;

/** The spans as a tree, line by line: children below their parent, by start. Each span is in one row. */
export function spanTree(spans: readonly SpanAnswer[]): TreeRow[] {
  const known = new Map(spans.map((span) => [span.spanId, span]));
  const children = new Map<string, SpanAnswer[]>();
  for (const span of spans) {
    const parent = known.has(span.parentSpanId ?? "") ? (span.parentSpanId ?? "") : "";
    const siblings = children.get(parent);
    if (siblings) siblings.push(span);
    else children.set(parent, [span]);
  }
  const rows: TreeRow[] = [];
  const seen = new Set<SpanAnswer>();
  const below = (parent: SpanAnswer | null, follows: readonly boolean[]): TreeRow[] => {
    const runs = likeRuns(children.get(parent?.spanId ?? "") ?? [], children);
    return runs.map((run, i) => ({
      spans: run,
      follows: [...follows, i < runs.length - 1],
      parent,
      isOrphan: parent === null && run[0].parentSpanId !== null,
    }));
  };
  const walk = (tops: readonly TreeRow[]): void => {
    // An own stack, because a trace may be deeper than the engine's.
    const pending = tops.toReversed();
    for (let row = pending.pop(); row; row = pending.pop()) {
      const [span, ...others] = row.spans;
      if (seen.has(span)) continue;
      for (const one of row.spans) seen.add(one);
      rows.push(row);
      if (others.length === 0) pending.push(...below(span, row.follows).toReversed());
    }
  };
  walk(below(null, []));
  // Spans that are each other's ancestors hang nowhere.
  for (const span of spans)
    if (!seen.has(span)) walk([{ spans: [span], follows: [false], parent: null, isOrphan: true }]);
  return rows;
}

function likeRuns(
  siblings: readonly SpanAnswer[],
  children: ReadonlyMap<string, readonly SpanAnswer[]>,
): [SpanAnswer, ...SpanAnswer[]][] {
  const runs: [SpanAnswer, ...SpanAnswer[]][] = [];
  for (const span of siblings) {
    const run = runs.at(-1);
    const isLike =
      run !== undefined &&
      run[0].name === span.name &&
      run[0].category === span.category &&
      run[0].app === span.app &&
      !children.has(span.spanId) &&
      !children.has(run[0].spanId);
    if (isLike) run.push(span);
    else runs.push([span]);
  }
  return runs.flatMap((run) => (run.length >= FOLD_FROM ? [run] : run.map((span): [SpanAnswer] => [span])));
}
