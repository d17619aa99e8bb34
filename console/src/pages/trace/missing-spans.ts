import type { TraceAnswer } from "../../data/answers.ts";
import type { Row } from "./span-rows.ts";

/** Most spans that a host keeps of its part of a trace; docs of the daemon call it the limit of a kept trace. */
const KEPT_SPANS = 2_000;

/** Spans of which it is known that they were, but not what they were. */
export interface MissingRow {
  type: "missing";
  key: string;
  depth: number;
  count: number;
  /** limit: more than a host keeps. lost: not in the host's journal any more when it was kept. parent: only named by its child. caller: in another process, whose part was not kept. */
  reason: "limit" | "lost" | "parent" | "caller";
}

/** The rows with one more for each place at which spans are missing: before who names them as parent, and below their entry. */
export function withMissing(rows: readonly Row[], trace: TraceAnswer): (Row | MissingRow)[] {
  const entries = new Set(trace.roots.map(({ rootSpanId }) => rootSpanId));
  const lost = lostByEntry(trace);
  const named = new Set<string>();
  return rows.flatMap((row): (Row | MissingRow)[] => {
    if (row.type !== "span") return [row];
    const shown: (Row | MissingRow)[] = [row];
    const { spanId, parentSpanId } = row.span;
    if (row.isOrphan && parentSpanId !== null && !named.has(parentSpanId)) {
      named.add(parentSpanId);
      const reason = entries.has(spanId) ? "caller" : "parent";
      shown.unshift({ type: "missing", key: `missing ${parentSpanId}`, depth: row.depth, count: 1, reason });
    }
    const count = lost.get(spanId);
    if (count !== undefined)
      shown.push({ type: "missing", key: `lost ${spanId}`, depth: row.depth + 1, ...count });
    return shown;
  });
}

/** By the first entry of each process: how many of its spans did not come, and why. */
function lostByEntry({ roots, spans }: TraceAnswer): Map<string, Pick<MissingRow, "count" | "reason">> {
  const lost = new Map<string, Pick<MissingRow, "count" | "reason">>();
  const known = new Set(spans.map((span) => span.spanId));
  for (const instance of new Set(roots.map((root) => root.instance))) {
    if (instance === undefined) continue;
    const parts = roots.filter((root) => root.instance === instance && known.has(root.rootSpanId));
    const [first] = parts;
    if (!first) continue;
    const arrived = spans.filter((span) => span.instance === instance).length;
    const count = parts.reduce((sum, root) => sum + root.spans, 0) - arrived;
    if (count > 0) lost.set(first.rootSpanId, { count, reason: arrived >= KEPT_SPANS ? "limit" : "lost" });
  }
  return lost;
}
