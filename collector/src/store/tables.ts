import { HOST_METRICS, type HostMetric, PROCESS_METRICS } from "@apm-daemon/protocol";

/** Kinds of columns, from which each store makes its own types. Numbers are plain JavaScript numbers throughout. */
export type ColumnKind = "bool" | "u16" | "u32" | "f64" | "text" | "blob" | "u16[]" | "u32[]" | "f64[]";
export type Columns = Readonly<Record<string, ColumnKind>>;
export type TableName =
  | "apps"
  | "batches"
  | "counters"
  | "errors"
  | "events"
  | "frame_pieces"
  | "health"
  | "host_seconds"
  | "host_snapshots"
  | "hosts"
  | "instances"
  | "ledger"
  | "ledger_totals"
  | "operations"
  | "process_seconds"
  | "requests"
  | "slow_statements"
  | "statements"
  | "traces";

export type Cell = boolean | number | string | Uint8Array | readonly number[] | null;
export type Row = Readonly<Record<string, Cell>>;

/**
 * The one definition of what is stored. Times in `ts_s` are Unix seconds (u32 reaches 2106), those in `…_ms` Unix ms.
 *
 * Rows are only ever added, and every counting column is additive, so a window that arrives in parts needs no update.
 */
export const TABLES: Readonly<Record<TableName, Columns>> = {
  /** Which batches are in: written in the same transaction as their rows. `received_ms` is the collector's clock. */
  batches: { stream: "text", number: "f64", host: "text", created_ms: "f64", received_ms: "f64" },
  /** One row a batch; the newest identity of a name wins. */
  hosts: { ts_s: "u32", host: "text", received_ms: "f64", identity: "text" },
  apps: { ts_s: "u32", host: "text", app: "text", apdex_t_ms: "f64" },
  instances: {
    ts_s: "u32",
    host: "text",
    app: "text",
    instance: "text",
    pid: "u32",
    runtime: "text",
    agent_version: "text",
    start_ms: "f64",
    /** Null where the process could not find it out, as the next two. */
    app_version: "text",
    container_id: "text",
    systemd_unit: "text",
  },
  host_seconds: { ts_s: "u32", host: "text", ...metricColumns(HOST_METRICS) },
  host_snapshots: { ts_s: "u32", host: "text", snapshot: "text" },
  process_seconds: {
    ts_s: "u32",
    host: "text",
    app: "text",
    instance: "text",
    pid: "u32",
    ...metricColumns(PROCESS_METRICS),
  },
  requests: {
    ts_s: "u32",
    host: "text",
    app: "text",
    action: "text",
    kind: "text",
    status: "u16",
    requests: "u32",
    errors: "u32",
    satisfied: "u32",
    tolerating: "u32",
    frustrated: "u32",
    sum_us: "f64",
    max_us: "f64",
    code_us: "f64",
    database_us: "f64",
    cache_us: "f64",
    external_us: "f64",
    queue_us: "f64",
    buckets: "u16[]",
    counts: "u32[]",
  },
  operations: {
    ts_s: "u32",
    host: "text",
    app: "text",
    action: "text",
    category: "text",
    system: "text",
    target: "text",
    operation: "text",
    statement: "text",
    calls: "u32",
    errors: "u32",
    sum_us: "f64",
    max_us: "f64",
    buckets: "u16[]",
    counts: "u32[]",
  },
  statements: { ts_s: "u32", app: "text", fingerprint: "text", system: "text", text: "text" },
  /** Single calls; `body` is JSON of the SlowStatementRow. */
  slow_statements: {
    ts_s: "u32",
    host: "text",
    app: "text",
    action: "text",
    duration_us: "f64",
    body: "text",
  },
  errors: {
    ts_s: "u32",
    host: "text",
    app: "text",
    action: "text",
    error_group: "text",
    type: "text",
    message: "text",
    stack: "text",
    count: "u32",
    trace_id: "text",
  },
  /** What apps count themselves; `counter` is the app's name for it. */
  counters: { ts_s: "u32", host: "text", app: "text", counter: "text", amount: "f64" },
  /** Spans by what became of them: `outcome` is "created", "received" or "dropped:<reason>"; corrections may be negative. */
  ledger: {
    ts_s: "u32",
    host: "text",
    app: "text",
    stream: "text",
    number: "f64",
    outcome: "text",
    spans: "f64",
  },
  /** What all ledger rows of the stream add up to, up to this batch, as the daemon knows it. */
  ledger_totals: {
    ts_s: "u32",
    host: "text",
    stream: "text",
    number: "f64",
    app: "text",
    outcome: "text",
    spans: "f64",
  },
  /** Ends of apps' processes; `body` is JSON of the AppEvent. */
  events: {
    ts_s: "u32",
    ts_ms: "f64",
    host: "text",
    app: "text",
    event_id: "text",
    kind: "text",
    title: "text",
    body: "text",
  },
  /** Kept by a host, or fetched from its journal: `reason` "fetched" or "unfinished". A root may have a row of each. */
  traces: {
    ts_s: "u32",
    start_ms: "f64",
    host: "text",
    app: "text",
    instance: "text",
    action: "text",
    kind: "text",
    trace_id: "text",
    root_span_id: "text",
    duration_us: "f64",
    status: "u16",
    error: "bool",
    spans: "u32",
    reason: "text",
    /** JSON of a list of RepeatedCall, null for none. */
    repeats: "text",
    /** JSON of a Verdict, null for none. */
    verdict: "text",
    /** The beginning of its SPANS payload; `frame_id` is null when that is all of it. */
    frame: "blob",
    frame_id: "text",
  },
  /** The other pieces of frames, see frame-pieces.ts; `ts_s` is the trace's. */
  frame_pieces: { ts_s: "u32", frame_id: "text", piece: "u16", bytes: "blob" },
  /** Rows of the health check, which writes for real. */
  health: { checked_ms: "f64" },
};

export const TABLE_NAMES: readonly TableName[] = Object.keys(TABLES) as TableName[];

function metricColumns(metrics: readonly HostMetric[]): Record<string, ColumnKind> {
  return Object.fromEntries(metrics.map((metric) => [metric.name, "f64"]));
}
