/** Shapes of the collector's answers, as docs/api.md describes them. Every text in them is foreign and only ever shown as text. */
export interface Span {
  from: number;
  to: number;
}

export type Column = (number | null)[];

export interface Columns extends Span {
  t0: number;
  stepMs: number;
  cols: Record<string, Column>;
  /** What the columns belong to: an app or a host. */
  app?: string;
  host?: string;
  /** Of the whole range; spans of an app, seconds of a host. */
  completeness?: Completeness;
  /** The same by step, where `cols` has no column of its own for it. */
  completenessRatios?: Column;
  /** The newest seconds came as they happened: all up to `to` are final. */
  isLive?: boolean;
}

export interface Percentiles {
  avg: number | null;
  p50: number | null;
  p95: number | null;
  p99: number | null;
  max: number | null;
}

export interface TimeSplit {
  code: number | null;
  database: number | null;
  cache: number | null;
  external: number | null;
  queue: number | null;
}

export interface Statistics {
  requests: number;
  errors: number;
  errorRate: number | null;
  apdex: number | null;
  apdexTMs: number;
  satisfied: number;
  tolerating: number;
  frustrated: number;
  responseTimeMs: Percentiles | null;
  throughputRpm: number | null;
  timeSplitMs: TimeSplit | null;
  totalTimeMs: number;
}

export interface AppRow extends Statistics {
  app: string;
  hosts: string[];
  lastSeenUnixMs: number | null;
  sparkline: { t0: number; stepMs: number; requests: Column };
}

export interface AppsAnswer extends Span {
  apps: AppRow[];
}

/** Spans by what became of them; `dropped` by reason. */
export interface Completeness {
  created: number;
  stored: number;
  dropped: Record<string, number>;
  inFlight: number;
  ratio: number | null;
}

export interface AppLedgerAnswer extends Span {
  app: string;
  completeness: Completeness;
  hosts: ({ host: string } & Completeness)[];
  losses: { host: string; reason: string; spans: number; firstUnixMs: number; lastUnixMs: number }[];
}

export interface HostLedgerAnswer extends Span {
  host: string;
  completeness: Completeness;
  /** Collectors before 0.2 do not say how much is missing: all of it then. */
  gaps: { fromUnixMs: number; toUnixMs: number; missingMs?: number }[];
}

export interface SummaryAnswer extends Span, Statistics {
  app: string;
  hosts: string[];
  completeness: Completeness;
}

export interface ActionRow extends Statistics {
  action: string;
  kind: "web" | "background";
  wallClockShare: number | null;
  dissatisfactionShare: number | null;
}

export interface ActionsAnswer extends Span {
  totalTimeMs: number;
  actions: ActionRow[];
}

export interface StatusCodesAnswer extends Span {
  requests: number;
  statusCodes: { code: number; count: number; share: number | null }[];
}

export interface OperationRow {
  category: "database" | "cache" | "external";
  system: string;
  target: string;
  operation: string;
  statement: string;
  statementText: string | null;
  calls: number;
  errors: number;
  totalTimeMs: number;
  durationMs: Percentiles | null;
  callsPerMinute: number | null;
  share: number | null;
  actions: { action: string; calls: number; totalTimeMs: number }[];
}

export interface OperationsAnswer extends Span {
  operations: OperationRow[];
}

/** Calls to databases, caches or services over time. */
export interface CallStatistics {
  calls: number;
  errors: number;
  totalTimeMs: number;
  callsPerMinute: number | null;
  durationMs: Percentiles | null;
  cols: Record<"calls" | "errors" | "totalTimeMs" | "avgMs" | "p95Ms", Column>;
}

export interface CallGroup extends CallStatistics {
  system: string;
  target: string;
  operation: string;
  /** Fingerprint, "" where there is none. */
  statement: string;
  statementText: string | null;
  share: number | null;
  actions: { action: string; calls: number; totalTimeMs: number }[];
}

export interface CallSeriesAnswer extends Span {
  t0: number;
  stepMs: number;
  all: CallStatistics;
  groups: CallGroup[];
  leftOut: number;
}

export interface CallSample {
  traceId: string;
  spanId: string;
  action: string;
  host: string;
  operation: string;
  startUnixMs: number;
  durationMs: number;
  error: boolean;
  /** Such calls in the trace; this is the slowest one. */
  calls: number;
}

export interface CallSamplesAnswer extends Span {
  traces: number;
  samples: CallSample[];
}

export interface StatementTextAnswer {
  text: string | null;
  hosts: { host: string; state: "found" | "nothing" | "silent" | "offline"; lastSeenUnixMs: number }[];
}

export interface ErrorSeriesAnswer extends Span {
  t0: number;
  stepMs: number;
  /** Null: all of the range is kept; else nothing is known of before. Collectors before 0.2 do not say it. */
  keptFrom?: number | null;
  /** Null when nothing of the range is kept. */
  count: number | null;
  types: { type: string; count: number; values: Column }[];
  others: { types: number; count: number; values: Column } | null;
}

export interface MapNode {
  id: string;
  kind: "app" | "database" | "cache" | "external";
  app: string;
  system: string;
  target: string;
  callsPerMinute: number;
  avgMs: number | null;
  errorRate: number | null;
  apdex: number | null;
}

export interface MapEdge {
  from: string;
  to: string;
  calls: number;
  errors: number;
  totalTimeMs: number;
  callsPerMinute: number;
  avgMs: number | null;
  errorRate: number | null;
  targets: string[];
}

export interface ServiceMapAnswer extends Span {
  nodes: MapNode[];
  edges: MapEdge[];
  isLimited: boolean;
}

export interface SlowStatement {
  endUnixMs: number;
  host: string;
  action: string;
  operation: string;
  statement: string;
  statementText: string | null;
  durationMs: number;
  traceId: string;
  stack: string;
}

export interface SlowStatementsAnswer extends Span {
  keptFrom?: number | null;
  slowStatements: SlowStatement[];
}

export interface CountersAnswer extends Span {
  t0: number;
  stepMs: number;
  counters: { name: string; total: number; values: (number | null)[] }[];
}

export interface ErrorGroup {
  group: string;
  action: string;
  type: string;
  message: string;
  stack: string;
  count: number;
  firstUnixMs: number;
  lastUnixMs: number;
  /** Of the first one in all that is stored. */
  firstEverUnixMs: number;
  /** Whether that lies in the range; null where nobody knows. */
  isNew: boolean | null;
  traceId: string | null;
}

export interface ErrorsAnswer extends Span {
  keptFrom?: number | null;
  errors: (ErrorGroup & { sparkline: { t0: number; stepMs: number; counts: Column } })[];
}

export interface ErrorGroupAnswer extends Span, ErrorGroup {
  keptFrom?: number | null;
  places: { action: string; host: string; count: number }[];
  samples: { traceId: string; action: string; host: string; message: string; unixMs: number }[];
}

export interface AppEndCall {
  endUnixMs: number;
  durationUs: number;
  system: string;
  name: string;
  target: string;
  statement: string;
  error: boolean;
  traceId: string;
}

/** How one of the app's processes ended. */
export interface AppEnd {
  id: string;
  host: string;
  unixMs: number;
  kind: "crash" | "exit" | "vanished";
  title: string;
  pid: number;
  runtime: string;
  startUnixMs: number;
  error: { type: string; message: string; stack: string } | null;
  evidence: {
    cgroup: string;
    oomKills: number | null;
    memoryLimitBytes: number | null;
    rssBytes: number | null;
  };
  inFlight: { action: string; traceId: string; ageMs: number }[];
  inFlightUnixMs: number | null;
  lastCalls: AppEndCall[];
  curve: {
    tsSec: number[];
    rssBytes: Column;
    cpuRatio: Column;
    heapUsedBytes: Column;
    eventLoopDelayP99Ms: Column;
  };
  crashWindowMs: number | null;
  spansLostAtLeast: number;
}

export interface EventsAnswer extends Span {
  keptFrom?: number | null;
  events: AppEnd[];
}

/** A statement, or a command of a cache, that was called often below one span. */
export interface RepeatedCall {
  parentSpanId: string;
  system: string;
  operation: string;
  /** Fingerprint, "" where there is none. */
  statement: string;
  calls: number;
  totalTimeMs: number;
}

/** Names of causes, measures and doubts as in docs/api.md. */
export interface VerdictCause {
  kind: string;
  metric: string;
  unit: string;
  value: number;
  /** Null where it is not known. */
  usual: number | null;
  /** Of the request's time, 0 to 1. */
  share: number;
  process?: { pid: number; command: string; cpuRatio: number };
  target?: string;
  operation?: string;
}

export interface Verdict {
  /** Strongest first. */
  causes: VerdictCause[];
  time: { part: string; ratio: number; target: string };
  confidence: string;
  doubts: string[];
  baselineSeconds: number;
  seconds: number;
}

export interface TraceRow {
  traceId: string;
  rootSpanId: string;
  app: string;
  host: string;
  /** Collectors before 0.2 do not say it. */
  instance?: string;
  action: string;
  kind: string;
  startUnixMs: number;
  durationMs: number;
  status: number;
  error: boolean;
  spans: number;
  reason: string;
  /** Only there when there is some. */
  repeats?: RepeatedCall[];
  /** Only there for what was slow or failed. */
  verdict?: Verdict;
}

export interface TracesAnswer extends Span {
  keptFrom?: number | null;
  traces: TraceRow[];
}

export type AttributeValue = string | number | boolean | null | (string | number | boolean)[];

export interface SpanEvent {
  name: string;
  startUnixMs: number;
  attributes: Record<string, AttributeValue>;
}

export type SpanCategory = "web" | "background" | "database" | "cache" | "external" | "internal";

export interface TraceSpan {
  spanId: string;
  parentSpanId: string | null;
  app: string;
  host: string;
  instance: string;
  name: string;
  kind: string;
  category: SpanCategory;
  startUnixMs: number;
  durationMs: number;
  error: boolean;
  attributes: Record<string, AttributeValue>;
  events: SpanEvent[];
  statusMessage: string | null;
}

export interface TraceAnswer {
  traceId: string;
  startUnixMs: number;
  durationMs: number;
  roots: TraceRow[];
  spans: TraceSpan[];
}

/** What one host answered when it was asked for a trace; docs/api.md says what the states mean. */
export interface AskedHost {
  host: string;
  state: string;
  spans: number;
  oldestUnixMs: number | null;
  lastSeenUnixMs: number | null;
  /** Why it may have more, "" when it has not. */
  gap: string;
}

export interface FetchedTrace extends TraceAnswer {
  hosts: AskedHost[];
}

export interface HostRow {
  host: string;
  id: string;
  os: string;
  kernel: string;
  arch: string;
  cpuModel: string;
  cores: number;
  memTotalBytes: number;
  virtualization: string;
  bootUnixMs: number;
  daemonVersion: string;
  timeZone?: string;
  lastSeenUnixMs: number | null;
  apps: string[];
  cpuRatio: number | null;
  memUsedRatio: number | null;
  load1: number | null;
  /** Of the newest second; collectors before 0.2 do not say it, nor the next ones. */
  stealRatio?: number | null;
  iowaitRatio?: number | null;
  psiCpuRatio?: number | null;
  psiMemoryRatio?: number | null;
  psiIoRatio?: number | null;
  eventLoopDelayMs?: number | null;
}

export interface HostsAnswer extends Span {
  hosts: HostRow[];
}

export interface SnapshotAnswer {
  host: string;
  tsMs: number;
  coreBusyRatios: number[];
  disks: {
    name: string;
    readBytesPerSecond: number;
    writeBytesPerSecond: number;
    busyRatio: number;
    awaitMs: number;
  }[];
  interfaces: {
    name: string;
    receiveBytesPerSecond: number;
    transmitBytesPerSecond: number;
    errorsPerSecond: number;
    dropsPerSecond: number;
  }[];
  filesystems: {
    mount: string;
    type: string;
    sizeBytes: number;
    usedBytes: number;
    availableBytes: number;
  }[];
  topProcesses: {
    pid: number;
    user: string;
    command: string;
    cpuRatio: number;
    rssBytes: number;
    threads: number;
  }[];
}

export interface ProcessRow {
  app: string;
  instance: string;
  pid: number;
  runtime: string;
  agentVersion: string;
  /** "" where the agent did not find it. */
  appVersion: string;
  containerId: string;
  systemdUnit: string;
  startUnixMs: number;
  cpuRatio: number | null;
  rssBytes: number | null;
  eventLoopDelayP99Ms: number | null;
  lastSeenUnixMs: number | null;
}

export interface ProcessesAnswer extends Span {
  processes: ProcessRow[];
}

/** A host and one process on it by the second, as it stands below a waterfall. */
export interface HostLaneAnswer extends Span {
  host: string;
  t0: number;
  stepMs: number;
  cols: Record<string, Column>;
  process: { app: string; pid: number; cols: Record<string, Column> } | null;
  /** Null where it is not kept any more. */
  busiest:
    | { from: number; to: number; pid: number; user: string; command: string; cpuRatio: number }[]
    | null;
}

export interface RankAnswer extends Span {
  requests: number;
  faster: number;
  fasterShare: number | null;
}

/** Requests of an action over time and duration; only cells that have some. */
export interface HeatmapAnswer extends Span {
  t0: number;
  stepMs: number;
  requests: number;
  /** Ascending; the last one's `toMs` is null when it has what lies beyond the axis. */
  rows: { fromMs: number; toMs: number | null }[];
  cells: { column: number[]; row: number[]; requests: number[] };
  reported: boolean[];
}

/** How often a value occurs in a selection, and in the rest. */
export interface Difference {
  attribute: string;
  value: string;
  basis: string;
  selected: number;
  selectedOf: number;
  rest: number;
  restOf: number;
  selectedShare: number;
  restShare: number;
}

export interface SelectionAnswer extends Span {
  selected: Span & {
    minMs: number;
    maxMs: number | null;
    requests: number;
    kept: number;
    sampled: number;
  };
  rest: { requests: number; kept: number; sampled: number };
  differences: Difference[];
  traces: TraceRow[];
}

/** Slow traces with the same strongest cause; `kind` "" where nothing was unusual. */
export interface VerdictGroup {
  kind: string;
  target: string;
  time: Verdict["time"] | null;
  traces: number;
  confidence: Record<string, number>;
  example: {
    traceId: string;
    rootSpanId: string;
    action: string;
    host: string;
    startUnixMs: number;
    durationMs: number;
    verdict: Verdict;
  };
}

export interface AppVerdicts {
  app: string;
  thresholdMs: number;
  slow: number;
  groups: VerdictGroup[];
}

export interface VerdictsAnswer extends Span {
  apps: AppVerdicts[];
}

export interface EndsAnswer extends Span {
  ends: {
    id: string;
    app: string;
    host: string;
    pid: number;
    kind: AppEnd["kind"];
    title: string;
    unixMs: number;
  }[];
}

export interface ServerAnswer {
  version: string;
  nowUnixMs: number;
  hosts: number;
  apps: number;
}
