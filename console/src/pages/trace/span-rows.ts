import type { SpanCategory, TraceSpan } from "../../data/answers.ts";

/** One span in its place in the tree. */
export interface SpanRow {
  type: "span";
  key: string;
  span: TraceSpan;
  depth: number;
  /** Its parent is named but did not arrive. */
  isOrphan: boolean;
}

/** Several like siblings without children, shown as one until unfolded. */
export interface FoldRow {
  type: "fold";
  key: string;
  name: string;
  category: SpanCategory;
  depth: number;
  spans: TraceSpan[];
  totalMs: number;
  hasError: boolean;
}

export type Row = SpanRow | FoldRow;

/** Fewer like siblings than this are shown one by one. */
const FOLD_FROM = 4;

interface Tree {
  tops: TraceSpan[];
  children: Map<string, TraceSpan[]>;
  known: Set<string>;
}

/** Rows in the order of the waterfall: children below their parent, by start; runs of like siblings folded. */
export function spanRows(spans: readonly TraceSpan[], unfolded: ReadonlySet<string>): Row[] {
  const tree = treeOf(spans);
  const rows: Row[] = [];
  // An own stack, because a trace may be deeper than the engine's.
  const pending = pendingRows(tree.tops, 0, tree, unfolded).toReversed();
  for (let row = pending.pop(); row; row = pending.pop()) {
    rows.push(row);
    if (row.type === "fold") continue;
    const children = tree.children.get(row.span.spanId) ?? [];
    tree.children.delete(row.span.spanId); // a span that is its own ancestor ends here
    // One by one: a span may have more children than a call may have arguments.
    for (const child of pendingRows(children, row.depth + 1, tree, unfolded).toReversed())
      pending.push(child);
  }
  return rows;
}

function treeOf(spans: readonly TraceSpan[]): Tree {
  const known = new Set(spans.map((span) => span.spanId));
  const children = new Map<string, TraceSpan[]>();
  const tops: TraceSpan[] = [];
  for (const span of [...spans].sort((a, b) => a.startUnixMs - b.startUnixMs)) {
    const parent = span.parentSpanId ?? "";
    if (!known.has(parent) || parent === span.spanId) {
      tops.push(span);
      continue;
    }
    const siblings = children.get(parent);
    if (siblings) siblings.push(span);
    else children.set(parent, [span]);
  }
  return { tops, children, known };
}

function pendingRows(
  siblings: readonly TraceSpan[],
  depth: number,
  tree: Tree,
  unfolded: ReadonlySet<string>,
): Row[] {
  const rows: Row[] = [];
  for (let start = 0; start < siblings.length; ) {
    const run = likeRun(siblings, start, tree);
    const first = run[0];
    if (!first) break;
    const key = `fold ${first.spanId}`;
    if (run.length >= FOLD_FROM && !unfolded.has(key)) rows.push(foldRow(key, run, first, depth));
    else for (const span of run) rows.push(spanRow(span, depth, tree));
    start += run.length;
  }
  return rows;
}

/** The siblings from `start` on that have the same name and category and no children. */
function likeRun(siblings: readonly TraceSpan[], start: number, tree: Tree): TraceSpan[] {
  const first = siblings[start];
  if (!first) return [];
  const isLike = (span: TraceSpan): boolean =>
    span.name === first.name && span.category === first.category && !tree.children.has(span.spanId);
  let end = start + 1;
  while (isLike(first) && end < siblings.length && isLike(siblings[end] ?? first)) end++;
  return siblings.slice(start, end);
}

function spanRow(span: TraceSpan, depth: number, tree: Tree): SpanRow {
  const parent = span.parentSpanId ?? "";
  const isOrphan = parent !== "" && !tree.known.has(parent);
  return { type: "span", key: span.spanId, span, depth, isOrphan };
}

function foldRow(key: string, spans: TraceSpan[], first: TraceSpan, depth: number): FoldRow {
  const totalMs = spans.reduce((sum, span) => sum + span.durationMs, 0);
  const hasError = spans.some((span) => span.error);
  return { type: "fold", key, name: first.name, category: first.category, depth, spans, totalMs, hasError };
}

/** From the first start to the last end of all spans, Unix ms; clocks of several hosts may disagree. */
export function traceBounds(spans: readonly TraceSpan[]): { startMs: number; endMs: number } {
  let startMs = Number.POSITIVE_INFINITY;
  let endMs = Number.NEGATIVE_INFINITY;
  for (const span of spans) {
    startMs = Math.min(startMs, span.startUnixMs);
    endMs = Math.max(endMs, span.startUnixMs + span.durationMs);
  }
  return spans.length === 0 ? { startMs: 0, endMs: 0 } : { startMs, endMs };
}

/** A span's duration without the union of its children's intervals inside it. */
export function ownTimeMs(span: TraceSpan, spans: readonly TraceSpan[]): number {
  const end = span.startUnixMs + span.durationMs;
  const children = spans
    .filter((other) => other.parentSpanId === span.spanId && other.spanId !== span.spanId)
    .sort((a, b) => a.startUnixMs - b.startUnixMs);
  let coveredMs = 0;
  let until = span.startUnixMs;
  for (const child of children) {
    const from = Math.max(child.startUnixMs, until);
    const to = Math.min(child.startUnixMs + child.durationMs, end);
    if (to <= from) continue;
    coveredMs += to - from;
    until = to;
  }
  return Math.max(0, span.durationMs - coveredMs);
}

/** Marks for an axis of this length: 0 and round steps up to the end, at most seven. */
export function axisMarks(lengthMs: number): number[] {
  if (!(lengthMs > 0)) return [0];
  const rough = lengthMs / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step =
    [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough) ?? power * 10;
  const marks: number[] = [];
  for (let i = 0; i * step <= lengthMs; i++) marks.push(i * step);
  return marks;
}
