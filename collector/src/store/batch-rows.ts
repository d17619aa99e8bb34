import { randomUUID } from "node:crypto";
import {
  type Batch,
  type BatchHeader,
  HOST_METRICS,
  type HostMetric,
  type LedgerRow,
  type LedgerTotals,
  PROCESS_METRICS,
  type SecondsTable,
} from "@apm-daemon/protocol";
import { piecesOf } from "./frame-pieces.ts";
import type { StoredTrace } from "./store.ts";
import type { Cell, Row, TableName } from "./tables.ts";

/** A batch that passed validation, and when it arrived by the collector's clock. */
export interface ReceivedBatch {
  batch: Batch;
  receivedMs: number;
  /** Size of the batch as sent. */
  bytes: number;
}

type Emit = (table: TableName, row: Row) => void;

/** Turns a batch into the rows of all tables, the batch's own row included. */
export function emitBatchRows({ batch, receivedMs }: ReceivedBatch, emit: Emit): void {
  const { header } = batch;
  const host = header.host.name;
  const ts_s = Math.floor(header.createdUnixMs / 1000);
  // A whole of which a part is here was split by its daemon, so it will not come any more: it counts as here too.
  for (const { stream, number } of header.partOf ? [header, header.partOf] : [header])
    emit("batches", { stream, number, host, created_ms: header.createdUnixMs, received_ms: receivedMs });
  emit("hosts", { ts_s, host, received_ms: receivedMs, identity: JSON.stringify(header.host) });
  emitApps(header, ts_s, emit);
  emitSeconds(header, emit);
  if (header.hostSnapshot)
    emit("host_snapshots", {
      ts_s: header.hostSnapshot.tsSec,
      host,
      snapshot: JSON.stringify(header.hostSnapshot),
    });
  emitRequests(header, emit);
  emitOperations(header, ts_s, emit);
  emitErrors(header, emit);
  emitCounters(header, emit);
  emitSlowStatements(header, emit);
  emitLedger(header, ts_s, emit);
  emitEvents(header, emit);
  emitTraces(batch, emit);
}

function emitApps(header: BatchHeader, ts_s: number, emit: Emit): void {
  const host = header.host.name;
  for (const { app, apdexTMs, instances } of header.apps) {
    emit("apps", { ts_s, host, app, apdex_t_ms: apdexTMs });
    for (const { instance, pid, runtime, agentVersion, startUnixMs, ...deployment } of instances) {
      emit("instances", {
        ts_s,
        host,
        app,
        instance,
        pid,
        runtime,
        agent_version: agentVersion,
        start_ms: startUnixMs,
        app_version: deployment.appVersion ?? null,
        container_id: deployment.containerId ?? null,
        systemd_unit: deployment.systemdUnit ?? null,
      });
    }
  }
}

function emitSeconds(header: BatchHeader, emit: Emit): void {
  const host = header.host.name;
  if (header.hostSeconds) emitTable(header.hostSeconds, HOST_METRICS, { host }, "host_seconds", emit);
  for (const process of header.processSeconds) {
    const { app, instance, pid } = process;
    emitTable(process, PROCESS_METRICS, { host, app, instance, pid }, "process_seconds", emit);
  }
}

/** Metrics that this build does not know are left out; known ones that did not come are null. */
function emitTable(
  seconds: SecondsTable,
  metrics: readonly HostMetric[],
  fixed: Row,
  table: TableName,
  emit: Emit,
): void {
  for (const [i, ts_s] of seconds.tsSec.entries()) {
    const row: Record<string, Cell> = { ts_s, ...fixed };
    for (const { name } of metrics) row[name] = seconds.columns[name]?.[i] ?? null;
    emit(table, row);
  }
}

function emitRequests(header: BatchHeader, emit: Emit): void {
  for (const row of header.actions) {
    emit("requests", {
      ts_s: row.tsSec,
      host: header.host.name,
      app: row.app,
      action: row.action,
      kind: row.kind,
      status: row.status,
      requests: row.requests,
      errors: row.errors,
      satisfied: row.satisfied,
      tolerating: row.tolerating,
      frustrated: row.frustrated,
      sum_us: row.sumUs,
      max_us: row.maxUs,
      code_us: row.codeUs,
      database_us: row.databaseUs,
      cache_us: row.cacheUs,
      external_us: row.externalUs,
      queue_us: row.queueUs,
      buckets: row.histogram.buckets,
      counts: row.histogram.counts,
    });
  }
}

function emitOperations(header: BatchHeader, ts_s: number, emit: Emit): void {
  for (const row of header.operations) {
    emit("operations", {
      ts_s: row.tsSec,
      host: header.host.name,
      app: row.app,
      action: row.action,
      category: row.category,
      system: row.system,
      target: row.target,
      operation: row.operation,
      statement: row.statement,
      calls: row.calls,
      errors: row.errors,
      sum_us: row.sumUs,
      max_us: row.maxUs,
      buckets: row.histogram.buckets,
      counts: row.histogram.counts,
    });
  }
  for (const { app, fingerprint, system, text } of header.statements)
    emit("statements", { ts_s, app, fingerprint, system, text });
}

function emitErrors(header: BatchHeader, emit: Emit): void {
  for (const row of header.errors) {
    emit("errors", {
      ts_s: row.tsSec,
      host: header.host.name,
      app: row.app,
      action: row.action,
      error_group: row.group,
      type: row.type,
      message: row.message,
      stack: row.stack,
      count: row.count,
      trace_id: row.traceId,
    });
  }
}

function emitCounters(header: BatchHeader, emit: Emit): void {
  for (const { tsSec, app, name, amount } of header.counters ?? [])
    emit("counters", { ts_s: tsSec, host: header.host.name, app, counter: name, amount });
}

function emitSlowStatements(header: BatchHeader, emit: Emit): void {
  for (const row of header.slowStatements ?? []) {
    emit("slow_statements", {
      ts_s: Math.floor(row.endUnixMs / 1_000),
      host: header.host.name,
      app: row.app,
      action: row.action,
      duration_us: row.durationUs,
      body: JSON.stringify(row),
    });
  }
}

function emitLedger(header: BatchHeader, ts_s: number, emit: Emit): void {
  // What a part says, the whole has said: sums of its stream must have it.
  const { stream, number } = header.partOf ?? header;
  const batch = { host: header.host.name, stream, number };
  for (const row of header.ledger) {
    const created = row.created ?? row.received + lostOf(row);
    for (const [outcome, spans] of outcomesOf({ ...row, created }))
      if (spans !== 0) emit("ledger", { ts_s: row.tsSec, app: row.app, ...batch, outcome, spans });
  }
  for (const totals of header.ledgerState?.apps ?? []) {
    for (const [outcome, spans] of outcomesOf(totals))
      emit("ledger_totals", { ts_s, app: totals.app, ...batch, outcome, spans });
  }
}

function outcomesOf({
  created,
  received,
  dropped,
}: Pick<LedgerTotals, "created" | "received" | "dropped">): [string, number][] {
  const lost = Object.entries(dropped).map(([reason, spans]): [string, number] => [
    `dropped:${reason}`,
    spans,
  ]);
  return [["created", created], ["received", received], ...lost];
}

function lostOf({ dropped }: LedgerRow): number {
  return Object.values(dropped).reduce((sum, spans) => sum + spans, 0);
}

function emitEvents(header: BatchHeader, emit: Emit): void {
  for (const event of header.events ?? []) {
    emit("events", {
      ts_s: Math.floor(event.tsMs / 1000),
      ts_ms: event.tsMs,
      host: header.host.name,
      app: event.app,
      event_id: event.id,
      kind: event.kind,
      title: event.title,
      body: JSON.stringify(event),
    });
  }
}

function emitTraces({ header, frames }: Batch, emit: Emit): void {
  for (const [i, trace] of header.traces.entries())
    emitTrace({ ...trace, host: header.host.name }, frames[i] ?? new Uint8Array(), emit);
}

/** The rows of one process's part of a trace with its SPANS payload. */
export function emitTrace(trace: StoredTrace, payload: Uint8Array, emit: Emit): void {
  const ts_s = Math.floor(trace.startUnixMs / 1000);
  const [frame, ...others] = piecesOf(payload);
  const frame_id = others.length === 0 ? null : randomUUID();
  emit("traces", {
    ts_s,
    start_ms: trace.startUnixMs,
    host: trace.host,
    app: trace.app,
    instance: trace.instance,
    action: trace.action,
    kind: trace.kind,
    trace_id: trace.traceId,
    root_span_id: trace.rootSpanId,
    duration_us: trace.durationUs,
    status: trace.status,
    error: trace.error,
    spans: trace.spans,
    reason: trace.reason,
    repeats: trace.repeats?.length ? JSON.stringify(trace.repeats) : null,
    verdict: trace.verdict === undefined ? null : JSON.stringify(trace.verdict),
    frame,
    frame_id,
  });
  for (const [i, bytes] of others.entries()) emit("frame_pieces", { ts_s, frame_id, piece: i + 1, bytes });
}
