import assert from "node:assert/strict";
import type { CollectorApi, Trace, TraceEntry, TraceSpan } from "./collector-api.ts";

/**
 * Checks every kept failure of `GET /fail/:tag`: its entry span is an error of the right route, and its database spans
 * are its own: they carry the tag of its path. Answers how many it checked.
 */
export async function assertKeptFailures(api: CollectorApi, app: string, system: string): Promise<number> {
  const failed = (await api.traces(app, { error: "true" })).filter(
    ({ action }) => action === "GET /fail/:tag",
  );
  for (const entry of failed) {
    assert.equal(entry.status, 500);
    assert.equal(entry.error, true);
    const trace = await api.trace(entry.traceId);
    const root = entrySpan(trace, entry);
    assert.equal(root.error, true);
    const database = assertOwnStatements(trace, root);
    assert.equal(database.length, 1, describe(trace));
    assert.equal(database[0]?.attributes["db.system.name"], system);
  }
  return failed.length;
}

export function entrySpan(trace: Trace, entry: TraceEntry): TraceSpan {
  const root = trace.spans.find(({ spanId }) => spanId === entry.rootSpanId);
  assert.ok(root, `trace ${entry.traceId} lacks its entry span:\n${describe(trace)}`);
  assert.equal(root.kind, "server");
  return root;
}

/** Checks that each database span below `root` names the tag of its path, and answers these spans. */
export function assertOwnStatements(trace: Trace, root: TraceSpan): TraceSpan[] {
  const tag = String(root.attributes["url.path"]).split("/").pop() ?? "";
  assert.match(tag, /^tag[a-z]+$/);
  const database = spansBelow(trace, root).filter((span) => statementOf(span) !== "");
  for (const span of database) {
    assert.match(
      statementOf(span),
      new RegExp(`\\b${tag}(_[a-z])?\\b`),
      `of another request: ${describe(trace)}`,
    );
  }
  return database;
}

export function spansBelow(trace: Trace, root: TraceSpan): TraceSpan[] {
  const ids = new Set([root.spanId]);
  // Parents come before their children.
  return trace.spans.filter((span) => {
    if (span.spanId === root.spanId || !ids.has(span.parentSpanId)) return false;
    ids.add(span.spanId);
    return true;
  });
}

function statementOf(span: TraceSpan): string {
  const text = span.attributes["db.query.text"];
  return span.category === "database" && typeof text === "string" ? text : "";
}

export function describe(trace: Trace): string {
  return trace.spans
    .map(
      ({ spanId, parentSpanId, name, attributes }) =>
        `${spanId} < ${parentSpanId || "-"} ${name} ${JSON.stringify(attributes)}`,
    )
    .join("\n");
}
