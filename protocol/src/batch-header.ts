import type { AppEvent } from "./app-event.ts";
import type { Deployment } from "./control.ts";
import type { SparseHistogram } from "./histogram.ts";
import type { SecondsTable } from "./host-metrics.ts";
import type { Verdict } from "./verdict.ts";

/**
 * The JSON part of a batch: all that a daemon learned between two seals.
 *
 * Every counting row is *additive*: a window may arrive in parts (late spans, early seals), and the parts add up.
 * Rows never carry averages or percentiles; readers compute these from sums and histograms.
 */
export interface BatchHeader {
  version: 1;
  /** Identity of the batch together with `number`: one stream per daemon state directory. */
  stream: string;
  /** 1, 2, 3, … without gaps within the stream. */
  number: number;
  createdUnixMs: number;
  host: HostIdentity;
  apps: AppInfo[];
  hostSeconds: SecondsTable | null;
  hostSnapshot: HostSnapshot | null;
  processSeconds: ProcessSeconds[];
  actions: ActionRow[];
  operations: OperationRow[];
  statements: StatementRow[];
  errors: ErrorRow[];
  ledger: LedgerRow[];
  /** What apps count themselves; older daemons do not say it. */
  counters?: CounterRow[];
  /** Ends of apps' processes, at most MAX_EVENTS_PER_BATCH; daemons before 0.2 do not say it. */
  events?: AppEvent[];
  /** Calls to databases that took long, a few of each window; daemons before 0.2 do not say it. */
  slowStatements?: SlowStatementRow[];
  /** Kept traces; `traces[i]` has its spans in the batch's i-th SPANS frame. */
  traces: TraceSummary[];
  journal: JournalRange;
  /** The loss ledger at `journal.sealed`; only in the last batch of a seal, absent in those of older daemons. */
  ledgerState?: LedgerState | undefined;
  /** More of the same seal follows in the next batch, which alone says how far the journal is sealed now. */
  isContinued?: true;
  /**
   * Set in a part of a batch that could not be taken whole. Parts have a stream of their own, made from the whole's identity, and
   * are numbered as a binary tree: 2 and 3 are the halves of the whole, 2n and 2n + 1 those of part n.
   */
  partOf?: { stream: string; number: number };
}

/** Positions are byte offsets in the daemon's journal, counted from its creation. */
export interface JournalRange {
  /** All frames before this position are counted in this batch or an earlier one. */
  sealed: number;
  /** Where a replay must start so that traces open at `sealed` are whole again. At most `sealed`. */
  replayFrom: number;
  /**
   * Requests open at `sealed`, by a key of the daemon's, with the position of the first frame that belongs to them and the place of
   * their first span in it: a replay must leave out what lies before. Only there when requests were given up since `replayFrom`; else
   * all spans belong.
   */
  open?: [key: string, firstPosition: number, firstSpan: number][] | undefined;
}

export interface HostIdentity {
  /** Stable identity: /etc/machine-id, or a random id kept in the state directory. */
  id: string;
  /** The name shown and used in the API; unique among the hosts of one collector by the admin's care. */
  name: string;
  os: string;
  kernel: string;
  arch: string;
  cpuModel: string;
  cores: number;
  memTotalBytes: number;
  virtualization: string;
  bootUnixMs: number;
  daemonVersion: string;
  nodeVersion: string;
  /** Of the host's clock, as IANA names it; daemons before 0.2 do not say it. */
  timeZone?: string;
  /** Daemons before 0.2 do not say it. */
  packages?: HostPackages;
}

/** Versions of what runs on a host. */
export interface HostPackages {
  /** That runs the daemon. */
  node: string;
  /** "glibc 2.36"; "" when unknown. */
  libc: string;
  /** How many packages dpkg has installed; null where there is no dpkg. */
  installed: number | null;
  /** Databases, caches and web servers among them, at most 32. */
  servers: { name: string; version: string }[];
}

export interface AppInfo {
  app: string;
  /** Apdex threshold T in ms that the counters of this batch were computed with. */
  apdexTMs: number;
  instances: InstanceInfo[];
}

export interface InstanceInfo extends Deployment {
  /** Random per process incarnation. */
  instance: string;
  pid: number;
  /** e.g. "node 20.20.2". */
  runtime: string;
  agentVersion: string;
  startUnixMs: number;
}

/** The state of the host's parts at the moment of the seal; rates are averages since the last one. */
export interface HostSnapshot {
  tsSec: number;
  /** Busy share of each core. */
  coreBusyRatios: number[];
  disks: DiskState[];
  interfaces: InterfaceState[];
  filesystems: FilesystemState[];
  topProcesses: ProcessState[];
}

export interface DiskState {
  name: string;
  readBytesPerSecond: number;
  writeBytesPerSecond: number;
  busyRatio: number;
  awaitMs: number;
}

export interface InterfaceState {
  name: string;
  receiveBytesPerSecond: number;
  transmitBytesPerSecond: number;
  errorsPerSecond: number;
  dropsPerSecond: number;
}

export interface FilesystemState {
  mount: string;
  type: string;
  sizeBytes: number;
  usedBytes: number;
  availableBytes: number;
}

export interface ProcessState {
  pid: number;
  /** User name or numeric uid where it cannot be resolved. */
  user: string;
  command: string;
  cpuRatio: number;
  rssBytes: number;
  threads: number;
  /** Where they are readable; in the last second. Older daemons do not say them. */
  openFds?: number;
  ioReadBytesPerSecond?: number;
  ioWriteBytesPerSecond?: number;
}

/** One monitored process; column names are those of PROCESS_METRICS. */
export interface ProcessSeconds extends SecondsTable {
  app: string;
  instance: string;
  pid: number;
}

export type ActionKind = "web" | "background";

/** Requests of one action that ended in one 10 s window with one status code. Times in µs, summed over requests. */
export interface ActionRow {
  /** Start of the 10 s window, Unix seconds. */
  tsSec: number;
  app: string;
  action: string;
  kind: ActionKind;
  /** HTTP status code; 0 where there is none (background work, aborted connections). */
  status: number;
  requests: number;
  errors: number;
  satisfied: number;
  tolerating: number;
  frustrated: number;
  sumUs: number;
  maxUs: number;
  /** codeUs + databaseUs + cacheUs + externalUs = sumUs: an instant belongs to one of them only. */
  codeUs: number;
  databaseUs: number;
  cacheUs: number;
  externalUs: number;
  /** Time before the app saw the request (x-request-start); outside of sumUs. */
  queueUs: number;
  histogram: SparseHistogram;
}

export type OperationCategory = "database" | "cache" | "external";

/** Outgoing calls made by one action to one target. */
export interface OperationRow {
  tsSec: number;
  app: string;
  /** The calling action, or "(none)" for calls outside of a request. */
  action: string;
  category: OperationCategory;
  /** e.g. "postgresql", "mysql", "redis", "http". */
  system: string;
  /** host:port, or "" where unknown. */
  target: string;
  /** Short operation name: "SELECT users", "GET", "GET api.example.com". */
  operation: string;
  /** Fingerprint of the statement in `statements`, or "". */
  statement: string;
  calls: number;
  errors: number;
  sumUs: number;
  maxUs: number;
  histogram: SparseHistogram;
}

export interface StatementRow {
  /** 16 hex digits, hash of system and text; spans of kept traces carry it as `apm.statement.fingerprint`. */
  fingerprint: string;
  app: string;
  system: string;
  /** Obfuscated unless the app's SQL mode is "raw". */
  text: string;
}

/** What an app's own counter counted in one window. */
export interface CounterRow {
  tsSec: number;
  app: string;
  /** As the app calls it, or "(other)" when there are too many. */
  name: string;
  amount: number;
}

/** The slowest call of one statement by one action in one window. */
export interface SlowStatementRow {
  endUnixMs: number;
  app: string;
  action: string;
  system: string;
  target: string;
  operation: string;
  /** Fingerprint of the statement. */
  statement: string;
  /** As recorded; "" where it stays on the host. */
  text: string;
  durationUs: number;
  error: boolean;
  traceId: string;
  /** Where it was called from, a frame a line; "" where that is not known, as of a statement's first slow call. */
  stack: string;
}

/** Errors of one kind in one window. */
export interface ErrorRow {
  tsSec: number;
  app: string;
  action: string;
  /** 16 hex digits: fingerprint of type, message without its variable parts, and top stack frames. */
  group: string;
  type: string;
  message: string;
  stack: string;
  count: number;
  /** A trace that shows it, or "". */
  traceId: string;
}

/** What became of an app's spans; times are when the daemon learned of it. Corrections of earlier rows may be negative. */
export interface LedgerRow {
  tsSec: number;
  app: string;
  /** Spans that agents newly said to have ended, lost ones among them; older daemons do not say it. */
  created?: number | undefined;
  /** Spans journaled and counted by the daemon. */
  received: number;
  /** Spans lost, by reason, e.g. { agent_ring_full: 12 }. */
  dropped: Record<string, number>;
}

/** Sums of all ledger rows of the stream. created = received + dropped + what agents still hold. */
export interface LedgerTotals {
  app: string;
  created: number;
  received: number;
  dropped: Record<string, number>;
}

/** How far one process is accounted for, in spans since its start. */
export interface InstanceCounts {
  instance: string;
  app: string;
  /** Ended, by its own count. */
  created: number;
  /** In frames that are accounted for. */
  framed: number;
  /** Told as lost by the agent. */
  reported: number;
  /** Given up when the process was gone. */
  ended: number;
}

/** Numbers of batches from the first to the last, both with. */
export interface BatchRun {
  first: number;
  last: number;
}

export interface LedgerState {
  apps: LedgerTotals[];
  instances: InstanceCounts[];
  /** Batches of the stream that were given up, whose spans are counted as dropped: ascending runs, the newest of them. Missing: none. */
  givenUp?: BatchRun[] | undefined;
}

export type KeepReason = "error" | "slow" | "n_plus_one" | "random";

/** One statement, or one command of a cache, that was called often below one span: as a rule once for each row of another answer. */
export interface RepeatedCall {
  /** 16 hex digits. */
  parentSpanId: string;
  system: string;
  /** Short name, as in the operations. */
  operation: string;
  /** Fingerprint of the statement, "" where there is none, as of commands of caches. */
  statement: string;
  calls: number;
  /** Of all these calls; they may have overlapped. */
  totalUs: number;
}

export interface TraceSummary {
  /** 32 hex digits. */
  traceId: string;
  /** 16 hex digits: the entry span of this process's part of the trace. */
  rootSpanId: string;
  app: string;
  instance: string;
  action: string;
  kind: ActionKind;
  startUnixMs: number;
  durationUs: number;
  status: number;
  error: boolean;
  spans: number;
  reason: KeepReason;
  /** At most MAX_REPEATS_PER_TRACE, most calls first; only there when there are some. */
  repeats?: RepeatedCall[];
  /** Why it was slow; only there for requests that were slow or failed. */
  verdict?: Verdict;
}
