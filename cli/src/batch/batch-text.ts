import {
  type AttributeValue,
  type Batch,
  type BatchHeader,
  decodeSpans,
  quantileUs,
  type TraceSummary,
} from "@apm-daemon/protocol";
import { shownBytes, shownCount, shownMs } from "../terminal/quantities.ts";
import { safeText } from "../terminal/safe-text.ts";
import { type Column, tableLines } from "../terminal/table.ts";

const MAX_ROWS = 40;
const MAX_VALUE_CHARS = 80;

/** What a batch says, as a page of text; `fileBytes` is its size on disk. With `showTraces`, each kept trace span by span. */
export function batchText(batch: Batch, fileBytes: number, showTraces: boolean): string {
  const { header } = batch;
  const traces = showTraces
    ? header.traces.flatMap((trace, i) => ["", ...traceLines(trace, batch.frames[i])])
    : [];
  return [
    ...headLines(header, fileBytes),
    ...section("Actions", actionTable(header)),
    ...section("Operations", operationTable(header)),
    ...section("Errors", errorTable(header)),
    ...section("Ledger", ledgerTable(header)),
    ...section("Events", eventTable(header)),
    ...section("Traces", traceTable(header)),
    ...traces,
  ].join("\n");
}

function headLines(header: BatchHeader, fileBytes: number): string[] {
  const { host, journal, hostSeconds, processSeconds } = header;
  const seconds = hostSeconds?.tsSec ?? [];
  return [
    `batch ${header.number} of stream ${header.stream}`,
    `created ${new Date(header.createdUnixMs).toISOString()}, ${shownBytes(fileBytes)}, journal sealed up to ${journal.sealed}, replay from ${journal.replayFrom}`,
    `host ${safeText(host.name)} (${safeText(host.id)}): ${safeText(host.os)}, ${host.cores} cores, ${shownBytes(host.memTotalBytes)}, daemon ${safeText(host.daemonVersion)}`,
    `${seconds.length} host seconds${seconds.length > 0 ? ` from ${shownSecond(seconds[0] ?? 0)}` : ""}, ${processSeconds.length} processes, ${header.statements.length} statements`,
    ...header.apps.map(
      (app) => `app ${safeText(app.app)}: Apdex T ${app.apdexTMs} ms, ${app.instances.length} instances`,
    ),
  ];
}

function actionTable(header: BatchHeader): string[] {
  const rows = header.actions.map((row) => [
    shownSecond(row.tsSec),
    safeText(row.app),
    safeText(row.action),
    String(row.status),
    shownCount(row.requests),
    shownCount(row.errors),
    shownMs(row.sumUs / 1_000 / Math.max(1, row.requests)),
    shownUs(quantileUs(row.histogram, 0.95)),
  ]);
  return rowsTable(columns("window app action", "status requests errors average p95"), rows);
}

function operationTable(header: BatchHeader): string[] {
  const rows = header.operations.map((row) => [
    shownSecond(row.tsSec),
    safeText(row.app),
    row.category,
    safeText(`${row.system} ${row.operation}`),
    shownCount(row.calls),
    shownCount(row.errors),
    shownUs(quantileUs(row.histogram, 0.95)),
  ]);
  return rowsTable(columns("window app category operation", "calls errors p95"), rows);
}

function errorTable(header: BatchHeader): string[] {
  const rows = header.errors.map((row) => [
    safeText(row.app),
    safeText(row.action),
    safeText(row.type),
    safeText(row.message.slice(0, 60)),
    shownCount(row.count),
  ]);
  return rowsTable(columns("app action type message", "count"), rows);
}

function eventTable({ events = [] }: BatchHeader): string[] {
  const rows = events.map(({ tsMs, app, pid, kind, title }) => [
    new Date(tsMs).toISOString(),
    safeText(app),
    kind,
    safeText(title),
    String(pid),
  ]);
  return rowsTable(columns("time app kind title", "pid"), rows);
}

function ledgerTable(header: BatchHeader): string[] {
  const rows = header.ledger.map((row) => [
    shownSecond(row.tsSec),
    safeText(row.app),
    shownCount(row.received),
    Object.entries(row.dropped)
      .map(([reason, spans]) => `${spans} ${safeText(reason)}`)
      .join(", ") || "0",
  ]);
  return rowsTable(columns("time app", "received dropped"), rows);
}

function traceTable(header: BatchHeader): string[] {
  const rows = header.traces.map((trace) => [
    trace.traceId,
    safeText(trace.app),
    safeText(trace.action),
    String(trace.status),
    trace.reason,
    shownMs(trace.durationUs / 1_000),
    shownCount(trace.spans),
  ]);
  return rowsTable(columns("trace app action", "status reason duration spans"), rows);
}

interface SpanLine {
  id: string;
  parentId: string;
  text: string;
}

/** A trace's spans as a tree. */
function traceLines(trace: TraceSummary, frame: Uint8Array | undefined): string[] {
  const head = `trace ${trace.traceId}: ${safeText(trace.action)}, ${shownMs(trace.durationUs / 1_000)}`;
  if (!frame) return [head, "  its spans are missing in this batch"];
  const spans: SpanLine[] = [];
  decodeSpans(Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength), (span) => {
    const attributes = span.shape.keys.map((key, i) => `${key}=${shownValue(span.shape.values[i])}`);
    const parts = [
      span.name,
      shownMs(span.durationNs / 1e6),
      ...(span.hasError ? ["ERROR"] : []),
      ...attributes,
    ];
    const text = parts.map(safeText).join("  ");
    spans.push({ id: hexId(span.idHi, span.idLo), parentId: hexId(span.parentHi, span.parentLo), text });
  });
  return [head, ...treeLines(spans)];
}

function shownValue(value: AttributeValue | undefined): string {
  const text = typeof value === "string" ? value : JSON.stringify(value ?? null);
  return text.length > MAX_VALUE_CHARS ? `${text.slice(0, MAX_VALUE_CHARS)}…` : text;
}

function treeLines(spans: readonly SpanLine[]): string[] {
  const ids = new Set(spans.map((span) => span.id));
  const children = groupedByParent(spans);
  const seen = new Set<SpanLine>();
  const lines: string[] = [];
  const visit = (span: SpanLine, depth: number): void => {
    if (seen.has(span)) return;
    seen.add(span);
    lines.push(`  ${"  ".repeat(Math.min(depth, 32))}${span.text}`);
    for (const child of children.get(span.id) ?? []) visit(child, depth + 1);
  };
  for (const span of spans) if (!ids.has(span.parentId)) visit(span, 0);
  return lines;
}

function groupedByParent(spans: readonly SpanLine[]): Map<string, SpanLine[]> {
  const groups = new Map<string, SpanLine[]>();
  for (const span of spans) {
    const siblings = groups.get(span.parentId);
    if (siblings) siblings.push(span);
    else groups.set(span.parentId, [span]);
  }
  return groups;
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", title, ...lines.map((line) => `  ${line}`)];
}

function rowsTable(layout: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const more = rows.length > MAX_ROWS ? [`… and ${rows.length - MAX_ROWS} more`] : [];
  return [...tableLines(layout, rows.slice(0, MAX_ROWS)), ...more];
}

function columns(left: string, right: string): Column[] {
  return [
    ...left.split(" ").map((title): Column => ({ title, align: "left" })),
    ...right.split(" ").map((title): Column => ({ title, align: "right" })),
  ];
}

function shownUs(us: number | null): string {
  return shownMs(us === null ? null : us / 1_000);
}

function shownSecond(unixSec: number): string {
  return new Date(unixSec * 1_000).toISOString().slice(11, 19);
}

function hexId(hi: number, lo: number): string {
  return (hi >>> 0).toString(16).padStart(8, "0") + (lo >>> 0).toString(16).padStart(8, "0");
}
