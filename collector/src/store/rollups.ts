import { HOST_METRICS, type HostMetric, PROCESS_METRICS } from "@apm-daemon/protocol";
import { type ColumnKind, type Columns, TABLES, type TableName } from "./tables.ts";

/**
 * The one definition of what is made of the rows as they arrived (tables.ts), before these go. `minutes` and `hours` hold
 * the same tables, added up per minute and per hour of their `ts_s`; `days` some of them, added up from the hours, beside which
 * they stay; `records` and `traces` hold what is read row by row, `sampled` those traces that outlive the others.
 */
export type DerivedKind = "minutes" | "hours" | "days" | "records" | "traces" | "sampled";

/** Of which files each kind is made. */
export const MADE_OF: Readonly<Record<DerivedKind, "hot" | "hours" | "traces">> = {
  minutes: "hot",
  hours: "hot",
  days: "hours",
  records: "hot",
  traces: "hot",
  sampled: "traces",
};

export const MADE_OF_HOT: readonly DerivedKind[] = (Object.keys(MADE_OF) as DerivedKind[]).filter(
  (kind) => MADE_OF[kind] === "hot",
);

/** How many rows of a group become one: a whole group or parts of it, in any order, come to the same sums. */
export type Rule =
  | "key"
  | "sum"
  /** How many values are not null. */
  | "count"
  | "max"
  | "min"
  /** The value of the newest row that has one; of texts, of the newest that is not empty. */
  | "newest"
  | "newestText"
  /** The two lists of a histogram. */
  | "buckets"
  | "counts";

export interface RollUp {
  /** Rows of one unit of time and one key become one row. */
  unitSec: number;
  /** `reported` is the window that a batch sealed then was about: the full 10 s before it. */
  time: "ts_s" | "reported";
  /** What `ts_s` of the row is: where its unit starts, or the newest of its rows. */
  stamp: "start" | "newest";
  /** By column of the new table: the rule, and the column of the source that it is applied to. */
  columns: Readonly<Record<string, { rule: Rule; of: string }>>;
}

export interface DerivedTable {
  /** A table of the files that it is made of. */
  source: TableName | TieredTable;
  /** `ranges`: numbers of batches as runs without gaps. `sample`: see duckdb/trace-sample.ts. */
  make: "copy" | "ranges" | "sample" | RollUp;
  /** Rows of the source that are read in one transaction at most, a bound for memory. */
  chunkRows: number;
}

/** Tables that charts and totals are answered from: raw, by the minute, by the hour, some by the day. See duckdb/tier.ts. */
export type TieredTable =
  | "requests"
  | "requests_by_app"
  | "requests_by_host"
  | "operations"
  | "operations_by_store"
  | "host_seconds"
  | "process_seconds"
  | "apps"
  | "counters"
  | "outcomes";

type Rules = RollUp["columns"];

function each(rule: Rule, names: readonly string[]): Rules {
  return Object.fromEntries(names.map((of) => [of, { rule, of }]));
}

/** Means cannot be added up: their sums and numbers of values can. */
function means(metrics: readonly HostMetric[]): Rules {
  return Object.fromEntries(
    metrics.flatMap(({ name }) => [
      [sumOf(name), { rule: "sum", of: name }],
      [countOf(name), { rule: "count", of: name }],
    ]),
  );
}

/** Peaks stay peaks. */
function peaks(metrics: readonly HostMetric[]): Rules {
  return Object.fromEntries(
    metrics
      .filter(({ combined }) => combined === "max")
      .map(({ name }) => [peakOf(name), { rule: "max", of: name }]),
  );
}

/** Column with the sum of a metric's values in a tiered table. */
export function sumOf(metric: string): string {
  return `${metric}_sum`;
}

/** Column with how many values that sum has. */
export function countOf(metric: string): string {
  return `${metric}_n`;
}

/** Column with the highest value, of metrics that are peaks already. */
export function peakOf(metric: string): string {
  return `${metric}_max`;
}

/** Which rows became one: the first and the last of them. */
const SPAN_OF_TIME: Rules = {
  first_s: { rule: "min", of: "ts_s" },
  last_s: { rule: "max", of: "ts_s" },
};

const HISTOGRAM: Rules = {
  buckets: { rule: "buckets", of: "buckets" },
  counts: { rule: "counts", of: "counts" },
};

const REQUEST_MEASURES: Rules = {
  ...each("sum", ["requests", "errors", "satisfied", "tolerating", "frustrated"]),
  ...each("sum", ["sum_us", "code_us", "database_us", "cache_us", "external_us", "queue_us"]),
  ...each("max", ["max_us"]),
  ...HISTOGRAM,
};

const OPERATION_MEASURES: Rules = {
  ...each("sum", ["calls", "errors", "sum_us"]),
  ...each("max", ["max_us"]),
  ...HISTOGRAM,
};

/** Merging histograms multiplies rows by their buckets. */
const HISTOGRAM_CHUNK_ROWS = 30_000;
const CHUNK_ROWS = 100_000;
/** Up to 8 KiB each. */
const FRAME_CHUNK_ROWS = 2_000;

/** Each by its source, what its rows are told apart by besides the time, and what is added up. */
export const TIERED: Readonly<
  Record<
    TieredTable,
    { source: TableName; chunkRows: number; time: RollUp["time"]; columns: RollUp["columns"] }
  >
> = {
  requests: {
    source: "requests",
    chunkRows: HISTOGRAM_CHUNK_ROWS,
    time: "ts_s",
    columns: { ...each("key", ["app", "action", "kind", "status"]), ...REQUEST_MEASURES },
  },
  /** An app has fifty times as many rows by action: charts of apps over weeks would merge the histograms of all. */
  requests_by_app: {
    source: "requests",
    chunkRows: HISTOGRAM_CHUNK_ROWS,
    time: "ts_s",
    columns: { ...each("key", ["app", "kind", "status"]), ...REQUEST_MEASURES },
  },
  requests_by_host: {
    source: "requests",
    chunkRows: HISTOGRAM_CHUNK_ROWS,
    time: "ts_s",
    columns: { ...each("key", ["host", "app", "kind"]), ...REQUEST_MEASURES },
  },
  operations: {
    source: "operations",
    chunkRows: HISTOGRAM_CHUNK_ROWS,
    time: "ts_s",
    columns: {
      ...each("key", ["app", "action", "category", "system", "target", "operation", "statement"]),
      ...OPERATION_MEASURES,
    },
  },
  /** For charts of all calls to a database or service, which has hundreds of statements, each called by several actions. */
  operations_by_store: {
    source: "operations",
    chunkRows: HISTOGRAM_CHUNK_ROWS,
    time: "ts_s",
    columns: { ...each("key", ["app", "category", "system", "target"]), ...OPERATION_MEASURES },
  },
  host_seconds: {
    source: "host_seconds",
    chunkRows: CHUNK_ROWS,
    time: "ts_s",
    columns: {
      ...each("key", ["host"]),
      ...means(HOST_METRICS),
      /** How many seconds arrived. */
      seconds: { rule: "count", of: "ts_s" },
      ...SPAN_OF_TIME,
    },
  },
  process_seconds: {
    source: "process_seconds",
    chunkRows: CHUNK_ROWS,
    time: "ts_s",
    columns: {
      ...each("key", ["host", "app", "instance", "pid"]),
      ...means(PROCESS_METRICS),
      ...peaks(PROCESS_METRICS),
    },
  },
  apps: {
    source: "apps",
    chunkRows: CHUNK_ROWS,
    time: "reported",
    columns: {
      ...each("key", ["host", "app"]),
      ...each("newest", ["apdex_t_ms"]),
      /** When the newest of these batches was sealed. */
      sealed_s: { rule: "max", of: "ts_s" },
    },
  },
  counters: {
    source: "counters",
    chunkRows: CHUNK_ROWS,
    time: "ts_s",
    columns: { ...each("key", ["app", "counter"]), ...each("sum", ["amount"]) },
  },
  outcomes: {
    source: "ledger",
    chunkRows: CHUNK_ROWS,
    time: "ts_s",
    columns: { ...each("key", ["host", "app", "outcome"]), ...each("sum", ["spans"]), ...SPAN_OF_TIME },
  },
};

/** Tables that files of earlier builds lack, and which of theirs has the same rows, only more of them. */
export const STAND_INS: Readonly<Partial<Record<string, TieredTable>>> = {
  requests_by_app: "requests",
  operations_by_store: "operations",
};

export const TIERED_TABLES: readonly TieredTable[] = Object.keys(TIERED) as TieredTable[];

/** Those whose sums over weeks are too many by the hour: each of their rows has a histogram. */
export const DAY_TABLES: readonly TieredTable[] = [
  "requests",
  "requests_by_app",
  "requests_by_host",
  "operations",
  "operations_by_store",
];

export const MINUTE_SEC = 60;
export const HOUR_SEC = 3_600;
export const DAY_SEC = 86_400;

function tier(unitSec: number): Record<TieredTable, DerivedTable> {
  return Object.fromEntries(
    Object.entries(TIERED).map(([name, { source, chunkRows, time, columns }]) => [
      name,
      { source, chunkRows, make: { unitSec, time, stamp: "start", columns } },
    ]),
  ) as Record<TieredTable, DerivedTable>;
}

/** Sums of sums: a table keeps its columns, and what was counted is added up. */
function daysOf(name: TieredTable): DerivedTable {
  const columns = Object.entries(TIERED[name].columns).map(([of, { rule }]) => [
    of,
    { rule: rule === "count" ? "sum" : rule, of },
  ]);
  const make: RollUp = {
    unitSec: DAY_SEC,
    time: "ts_s",
    stamp: "start",
    columns: Object.fromEntries(columns) as Rules,
  };
  return { source: name, chunkRows: HISTOGRAM_CHUNK_ROWS, make };
}

function newestOf(
  source: TableName,
  unitSec: number,
  columns: Rules,
  stamp: RollUp["stamp"] = "newest",
): DerivedTable {
  return { source, chunkRows: CHUNK_ROWS, make: { unitSec, time: "ts_s", stamp, columns } };
}

function copyOf(source: TableName, chunkRows: number): DerivedTable {
  return { source, chunkRows, make: "copy" };
}

const TEN_MINUTES_SEC = 600;

/** Tables of the derived files by name. Those of `days`, `records`, `traces` and `sampled` go on under the name of their source. */
export const DERIVED: Readonly<Record<DerivedKind, Readonly<Record<string, DerivedTable>>>> = {
  minutes: tier(MINUTE_SEC),
  hours: tier(HOUR_SEC),
  days: Object.fromEntries(DAY_TABLES.map((name) => [name, daysOf(name)])),
  records: {
    hosts: newestOf("hosts", HOUR_SEC, {
      ...each("key", ["host"]),
      ...each("newest", ["identity"]),
      ...each("max", ["received_ms"]),
    }),
    instances: newestOf("instances", MINUTE_SEC, {
      ...each("key", ["host", "app", "instance", "pid"]),
      ...each("newest", ["runtime", "agent_version", "start_ms"]),
      ...each("newest", ["app_version", "container_id", "systemd_unit"]),
    }),
    host_snapshots: newestOf("host_snapshots", TEN_MINUTES_SEC, {
      ...each("key", ["host"]),
      ...each("newest", ["snapshot"]),
    }),
    errors: newestOf(
      "errors",
      MINUTE_SEC,
      {
        ...each("key", ["host", "app", "action", "error_group"]),
        ...each("newest", ["type", "message", "stack"]),
        ...each("newestText", ["trace_id"]),
        ...each("sum", ["count"]),
      },
      "start",
    ),
    statements: newestOf("statements", DAY_SEC, {
      ...each("key", ["app", "fingerprint"]),
      ...each("newest", ["system", "text"]),
    }),
    slow_statements: copyOf("slow_statements", FRAME_CHUNK_ROWS),
    events: copyOf("events", FRAME_CHUNK_ROWS),
    ledger: copyOf("ledger", CHUNK_ROWS),
    ledger_totals: copyOf("ledger_totals", CHUNK_ROWS),
    batch_ranges: { source: "batches", make: "ranges", chunkRows: CHUNK_ROWS },
  },
  traces: {
    traces: copyOf("traces", FRAME_CHUNK_ROWS),
    frame_pieces: copyOf("frame_pieces", FRAME_CHUNK_ROWS),
  },
  sampled: {
    traces: { source: "traces", make: "sample", chunkRows: FRAME_CHUNK_ROWS },
    frame_pieces: { source: "frame_pieces", make: "sample", chunkRows: FRAME_CHUNK_ROWS },
  },
};

/** How far a source has been taken in: its rows below `upto`, in the order of their arrival, are in `target`. */
const MARKS: Columns = { source: "text", target: "text", upto: "f64" };

/** Tables of a derived file, by name. */
export function derivedTables(kind: DerivedKind): Readonly<Record<string, Columns>> {
  const tables = Object.entries(DERIVED[kind]).map(([name, table]) => [name, derivedColumns(table)]);
  return { ...(Object.fromEntries(tables) as Record<string, Columns>), marks: MARKS };
}

function derivedColumns({ source, make }: DerivedTable): Columns {
  const table = TABLES[source in TABLES ? (source as TableName) : TIERED[source as TieredTable].source];
  if (make === "copy" || make === "sample") return table;
  if (make === "ranges") return { stream: "text", first: "f64", last: "f64" };
  const columns = Object.entries(make.columns).map(([name, { rule, of }]) => [
    name,
    kindAfter(rule, table[of] ?? "f64"),
  ]);
  return { ts_s: "u32", ...(Object.fromEntries(columns) as Columns) };
}

/** Sums outgrow what their parts fit into. */
function kindAfter(rule: Rule, kind: ColumnKind): ColumnKind {
  if (rule === "sum" || rule === "count") return "f64";
  return rule === "counts" ? "f64[]" : kind;
}
