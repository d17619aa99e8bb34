import type {
  ActionKind,
  BatchIdentity,
  OperationCategory,
  RepeatedCall,
  SlowStatementRow,
  SparseHistogram,
  Verdict,
} from "@apm-daemon/protocol";
import type { ReceivedBatch } from "./batch-rows.ts";

/**
 * Where batches go and answers come from: query methods, so that an embedded and a distributed store can differ in
 * everything else. All methods that return promises reject with StoreError when the store cannot do it now.
 */
export interface Store {
  readonly hosts: HostQueries;
  readonly apps: AppQueries;
  readonly requests: RequestQueries;
  readonly operations: OperationQueries;
  readonly errors: ErrorQueries;
  readonly counters: CounterQueries;
  readonly slowStatements: SlowStatementQueries;
  readonly ledger: LedgerQueries;
  readonly events: EventQueries;
  readonly traces: TraceQueries;
  readonly selections: SelectionQueries;

  /** Whether this batch is committed already. */
  isCommitted(identity: BatchIdentity): boolean;
  /** Highest committed batch number of a stream, 0 for none. */
  lastNumber(stream: string): number;
  /** Resolves when the batch and its number are committed, in one transaction; replays change nothing. */
  write(received: ReceivedBatch): Promise<void>;
  /** Resolves when these parts of traces are committed too; nothing but traces is written. */
  addTraceParts(parts: readonly StoredTracePart[]): Promise<void>;
  /** A real write and read; rejects with the reason why not. */
  checkHealth(): Promise<void>;
  /** Does what is due of a job now; none is begun twice at once. Rejects at the end with all that failed. */
  maintain(job: MaintenanceJob): Promise<MaintenanceReport>;
  /** The finest time that rows of the whole range are told apart by, in seconds: 10, later 60, later 3,600. */
  resolutionSec(range: TimeRange): number;
  /** From which second on all is there that arrived of a kind; of what was before, nothing can be said. */
  keptFromSec(kept: Kept): number;
  size(): Promise<StoreSize>;
  /** Commits what waits, then closes. */
  close(): Promise<void>;
}

export interface StoreSize {
  engine: string;
  bytes: number;
  /** UTC days of which rows are there as they arrived, ascending, as "2026-11-23". */
  days: string[];
  /** What the bytes are taken by. */
  bytesByKind: Record<string, number>;
}

/** Rolling rows up into minutes, or into hours, and these into days; forgetting what is older than the retention. */
export const MAINTENANCE_JOBS = ["minutes", "hours", "days", "retention"] as const;
export type MaintenanceJob = (typeof MAINTENANCE_JOBS)[number];

export interface MaintenanceReport {
  /** Rows that were rolled up, or moved to where they are kept longer. */
  rows: number;
  removedFiles: number;
}

/**
 * What is kept for a time of its own: rows as they arrived; all traces; slow and failed ones and a tenth of the others;
 * errors, ends of processes and slow statements.
 */
export type Kept = "rows" | "traces" | "sampledTraces" | "records";

/** `fromSec <= ts < toSec`, Unix seconds. */
export interface TimeRange {
  fromSec: number;
  toSec: number;
}

export interface HostQueries {
  /** All hosts of the store, by name. */
  all(): Promise<StoredHost[]>;
  exists(host: string): Promise<boolean>;
  /** Apps that ran in the range. */
  appsByHost(range: TimeRange): Promise<{ host: string; app: string }[]>;
  /** Each host's newest known values of the named metrics within the range. */
  newestValues(
    metrics: readonly string[],
    range: TimeRange,
  ): Promise<{ host: string; values: MetricValues }[]>;
  /** Averages per step (sums for oomKills) of the named metrics, ascending; steps without data are absent. */
  series(
    host: string,
    metrics: readonly string[],
    range: TimeRange,
    stepSec: number,
  ): Promise<{ stepStartSec: number; values: MetricValues }[]>;
  /** JSON of the newest HostSnapshot in the range, or null. */
  newestSnapshot(host: string, range: TimeRange): Promise<string | null>;
  processes(host: string, range: TimeRange): Promise<StoredProcess[]>;
  /** Releases of the agents that reported in the range, by app, release and runtime. */
  agents(range: TimeRange): Promise<StoredAgents[]>;
  /** How many different rows of seconds arrived in each step, ascending; steps without any are absent. */
  sampledSteps(host: string, range: TimeRange, stepSec: number): Promise<SampledSteps>;
  /** The `limit` longest times without seconds that should have had some, by time. */
  gaps(host: string, range: TimeRange, limit: number): Promise<SampleGap[]>;
  /** One process's named metrics per step, each combined as the metric says; null when nothing is stored of it in the range. */
  processSeries(
    process: { host: string; instance: string },
    metrics: readonly string[],
    range: TimeRange,
    stepSec: number,
  ): Promise<ProcessSeries | null>;
  /** JSON of each HostSnapshot in the range, ascending; the first `limit`. */
  snapshots(host: string, range: TimeRange, limit: number): Promise<string[]>;
  /** Of each host the latest event loop among its processes, in their newest seconds of the range. */
  newestLoopDelays(range: TimeRange): Promise<{ host: string; delayMs: number | null }[]>;
}

export interface SampledSteps {
  /** Seconds of one row: the usual distance of two. */
  rowSec: number;
  steps: { stepStartSec: number; rows: number; firstSec: number; lastSec: number }[];
}

/** Between `lastSec` and `nextSec` so many seconds did not arrive: all, or, where only sums are left, some. */
export interface SampleGap {
  lastSec: number;
  nextSec: number;
  missingSec: number;
}

export interface ProcessSeries {
  app: string;
  pid: number;
  steps: { stepStartSec: number; values: MetricValues }[];
}

export type MetricValues = Readonly<Record<string, number | null>>;

export interface StoredHost {
  host: string;
  /** JSON of the newest HostIdentity. */
  identity: string;
  lastSeenUnixMs: number;
}

export interface StoredProcess {
  app: string;
  instance: string;
  pid: number;
  runtime: string;
  agentVersion: string;
  startUnixMs: number;
  /** "" where the process could not find it out, as the next two. */
  appVersion: string;
  containerId: string;
  systemdUnit: string;
  cpuRatio: number | null;
  rssBytes: number | null;
  eventLoopDelayP99Ms: number | null;
  lastSeenUnixMs: number;
}

export interface StoredAgents {
  app: string;
  agentVersion: string;
  runtime: string;
  processes: number;
  hosts: number;
}

export interface AppQueries {
  exists(app: string): Promise<boolean>;
  /** Apps that reported or had requests in the range, by name. */
  seen(range: TimeRange, app?: string): Promise<SeenApp[]>;
  /** Newest Apdex threshold of each app in ms, over all that is stored. */
  apdexThresholds(): Promise<ReadonlyMap<string, number>>;
  /** Starts of the steps in which the app reported, with or without requests. */
  reportedSteps(app: string, range: TimeRange, stepSec: number): Promise<number[]>;
}

export interface SeenApp {
  app: string;
  hosts: string[];
  lastSeenUnixMs: number;
}

export interface RequestFilter {
  range: TimeRange;
  app?: string | undefined;
  action?: string | undefined;
  /** Both kinds when absent. */
  kind?: ActionKind | undefined;
}

/** What to keep apart; everything else is added up. */
export interface RequestGrouping {
  by: readonly ("app" | "action" | "kind" | "status" | "host")[];
  /** Also by time. */
  stepSec?: number;
  withHistograms: boolean;
}

export interface RequestQueries {
  totals(filter: RequestFilter, grouping: RequestGrouping): Promise<RequestTotals[]>;
}

/** Sums over requests; times in µs. */
export interface RequestSums {
  requests: number;
  errors: number;
  satisfied: number;
  tolerating: number;
  frustrated: number;
  sumUs: number;
  maxUs: number;
  codeUs: number;
  databaseUs: number;
  cacheUs: number;
  externalUs: number;
  queueUs: number;
  /** Empty unless asked for. */
  histogram: SparseHistogram;
}

/** What was not grouped by is "" or 0; so is a host of requests of which it is not kept by action or status. */
export interface RequestTotals extends RequestSums {
  app: string;
  action: string;
  kind: string;
  status: number;
  host: string;
  stepStartSec: number;
}

export interface OperationFilter {
  range: TimeRange;
  app: string;
  action?: string | undefined;
  category?: OperationCategory | undefined;
  system?: string | undefined;
  target?: string | undefined;
  operation?: string | undefined;
  statement?: string | undefined;
}

export interface OperationKey {
  category: OperationCategory;
  system: string;
  target: string;
  operation: string;
  statement: string;
}

export interface OperationTotals extends OperationKey {
  calls: number;
  errors: number;
  sumUs: number;
  maxUs: number;
  histogram: SparseHistogram;
}

export interface OperationCaller extends OperationKey {
  action: string;
  calls: number;
  sumUs: number;
}

/** Calls to one database or service; where it says what they did, only those. */
export interface OperationGroup extends Pick<OperationKey, "system" | "target"> {
  what?: Pick<OperationKey, "operation" | "statement">;
}

/** Of all calls in a step. */
export interface OperationStep extends Omit<OperationTotals, keyof OperationKey> {
  stepStartSec: number;
}

export interface OperationGroupStep extends OperationStep {
  /** Which of the groups that were asked for. */
  index: number;
}

/** All calls of an app to one target. */
export interface DependencyTotals extends Omit<OperationKey, "operation" | "statement"> {
  app: string;
  calls: number;
  errors: number;
  sumUs: number;
}

export interface OperationQueries {
  /** Of each category the `limit` operations with most total time, descending. */
  totals(filter: OperationFilter, limit: number): Promise<OperationTotals[]>;
  /** All calls together, by step; steps without any are absent. */
  steps(filter: OperationFilter, stepSec: number): Promise<OperationStep[]>;
  /** Calls of each group, by step, ascending. */
  groupSteps(
    filter: OperationFilter,
    groups: readonly OperationGroup[],
    stepSec: number,
  ): Promise<OperationGroupStep[]>;
  /** Of all apps, the `limit` with most total time, descending. */
  dependencies(range: TimeRange, limit: number): Promise<DependencyTotals[]>;
  /** Calling actions of each operation, most total time first. */
  callers(filter: OperationFilter): Promise<OperationCaller[]>;
  /** Newest text of each statement of the app. */
  statementTexts(app: string): Promise<{ fingerprint: string; text: string }[]>;
}

export interface SlowStatementFilter {
  range: TimeRange;
  app: string;
  action?: string | undefined;
  /** Fingerprint. */
  statement?: string | undefined;
}

export interface StoredSlowStatement extends SlowStatementRow {
  host: string;
}

export interface SlowStatementQueries {
  /** Slowest first. */
  list(filter: SlowStatementFilter, limit: number): Promise<StoredSlowStatement[]>;
}

export interface ErrorGroup {
  group: string;
  action: string;
  type: string;
  message: string;
  stack: string;
  count: number;
  /** Windows of the first and the last one. */
  firstSec: number;
  lastSec: number;
  /** "" if no kept trace shows it. */
  traceId: string;
}

export interface ErrorQueries {
  /** By count, descending; sample fields are those of the newest error. */
  groups(app: string, range: TimeRange, limit: number): Promise<ErrorGroup[]>;
  /** Of one group; null when it has no error in the range. */
  group(app: string, group: string, range: TimeRange): Promise<ErrorGroup | null>;
  /** Window of the first error of each group, over all that is stored. */
  firstSeen(app: string): Promise<{ group: string; firstSec: number }[]>;
  /** Errors by step and by type or group, ascending by step. */
  counts(
    app: string,
    range: TimeRange,
    grouping: { by: "type" | "group"; stepSec: number },
  ): Promise<{ key: string; stepStartSec: number; count: number }[]>;
  /** Errors of one group by action and host, most first. */
  places(app: string, group: string, range: TimeRange): Promise<ErrorPlace[]>;
  /** Kept traces that show an error of the group, newest first. */
  samples(app: string, group: string, range: TimeRange, limit: number): Promise<ErrorSample[]>;
}

export interface ErrorPlace {
  action: string;
  host: string;
  count: number;
}

export interface ErrorSample {
  traceId: string;
  action: string;
  host: string;
  message: string;
  /** Window of the error. */
  sec: number;
}

export interface StoredEvent {
  id: string;
  host: string;
  tsMs: number;
  /** JSON of the AppEvent. */
  body: string;
}

export interface CounterQueries {
  /** Sums of the app's own counters by name and step; only those of the `limit` first names. */
  sums(app: string, range: TimeRange, stepSec: number, limit: number): Promise<CounterSum[]>;
}

export interface CounterSum {
  name: string;
  stepStartSec: number;
  amount: number;
}

export interface EventQueries {
  /** Ends of the app's processes, or of all apps', newest first, each once. */
  list(app: string | undefined, range: TimeRange, limit: number): Promise<StoredEvent[]>;
}

export interface TraceFilter {
  range: TimeRange;
  app: string;
  action?: string | undefined;
  error?: boolean | undefined;
  /** Whether calls were repeated, see RepeatedCall. */
  hasRepeat?: boolean | undefined;
  sort: "slowest" | "recent";
  limit: number;
}

export interface StoredTrace {
  traceId: string;
  rootSpanId: string;
  app: string;
  host: string;
  instance: string;
  action: string;
  kind: ActionKind;
  startUnixMs: number;
  durationUs: number;
  status: number;
  error: boolean;
  spans: number;
  reason: string;
  repeats?: RepeatedCall[];
  verdict?: Verdict;
}

/** One process's part of a trace with its SPANS payload. */
export interface StoredTracePart extends StoredTrace {
  frame: Uint8Array;
}

export interface TraceQueries {
  /** Kept traces only: what somebody fetched is no sample of anything. */
  list(filter: TraceFilter): Promise<StoredTrace[]>;
  /** The slowest kept parts of the app's traces whose action is one of these, slowest first. */
  slowestParts(
    filter: { range: TimeRange; app: string; actions: readonly string[] },
    limit: number,
  ): Promise<StoredTracePart[]>;
  /** All kept parts of traces that have several, newest traces first: of apps that share many traces only some. */
  sharedParts(range: TimeRange, limit: number): Promise<StoredTracePart[]>;
  /** All parts of a trace, kept and fetched, by start: one for each local root, the one with most spans. */
  parts(traceId: string): Promise<StoredTracePart[]>;
  /**
   * Kept traces with a verdict that took longer than their app's threshold (in ms; 0 for others): of each app the `limit` newest, by their strongest cause
   * or, where nothing was unusual, by the part that took the time.
   */
  judged(
    filter: { range: TimeRange; app?: string | undefined; thresholds: ReadonlyMap<string, number> },
    limit: number,
  ): Promise<JudgedTraces[]>;
}

/** The clearest of some traces of one app whose verdicts say the same: the surest, of these the one with the largest share, then the longest. */
export interface JudgedTraces extends StoredTrace {
  verdict: Verdict;
  traces: number;
  /** How many of them are so sure. */
  high: number;
  medium: number;
  low: number;
}

/** Requests of one action that ended in a part of the range and took so long. */
export interface Selection {
  /** What the selection is compared with, the selection itself included. */
  range: TimeRange;
  app: string;
  action: string;
  /** Whole windows within the range. */
  selected: TimeRange;
  /** `minUs < duration <= maxUs`. */
  minUs: number;
  maxUs: number;
}

/** A kept trace of a sample: on which side it is, where and when it ran. */
export interface ChosenTrace
  extends Pick<StoredTrace, "traceId" | "host" | "instance" | "startUnixMs" | "durationUs"> {
  /** As traces are stored by. */
  tsSec: number;
  isSelected: boolean;
}

/** What tells a kept trace from others. */
export interface DescribedTrace
  extends Pick<
    StoredTrace,
    "traceId" | "app" | "host" | "instance" | "kind" | "durationUs" | "status" | "verdict"
  > {
  /** The beginning of its SPANS payload. */
  frame: Uint8Array;
  appVersion: string | null;
}

export interface SelectionQueries {
  /** Kept traces in the selection, slowest first. */
  slowest(selection: Selection, limit: number): Promise<StoredTrace[]>;
  /** A fair sample of the kept traces inside and outside of the selection, at most `limit` of each, and how many there are. */
  sample(
    selection: Selection,
    limit: number,
  ): Promise<{ traces: ChosenTrace[]; keptSelected: number; keptRest: number }>;
  /** What else is known of these traces; those that have gone meanwhile are left out. */
  described(
    selection: Selection,
    traces: readonly ChosenTrace[],
  ): Promise<ReadonlyMap<ChosenTrace, DescribedTrace>>;
  /** Whether seconds in which it ran are still kept, at least the last. */
  hasSeconds(trace: ChosenTrace): boolean;
  /**
   * The highest values of metrics of hosts and processes in the seconds in which each trace ran, of which the first 60 are looked at; null
   * where nothing was measured.
   */
  around(
    traces: readonly ChosenTrace[],
    metrics: readonly string[],
  ): Promise<ReadonlyMap<ChosenTrace, MetricValues>>;
}

/** Spans by what became of them; `outcome` as in the table `ledger`. */
export interface OutcomeCount {
  app: string;
  outcome: string;
  spans: number;
}

export interface HostOutcome {
  host: string;
  outcome: string;
  spans: number;
  firstSec: number;
  lastSec: number;
}

export interface LedgerQueries {
  /** Of one app, added up over the range; with `stepSec` also by time. */
  outcomes(
    app: string,
    range: TimeRange,
    stepSec?: number,
  ): Promise<{ outcome: string; stepStartSec: number; spans: number }[]>;
  /** Of one app by host and outcome, with the first and the last window of each, most spans first. */
  byHost(app: string, range: TimeRange): Promise<HostOutcome[]>;
  /** Committed numbers of a stream, as runs without gaps, ascending; empty for an unknown stream. */
  committed(stream: string): Promise<{ first: number; last: number }[]>;
  /** Batches of a stream that carry totals, sealed in the range: number and time of sealing, ascending. */
  batchesWithTotals(stream: string, range: TimeRange): Promise<{ number: number; tsSec: number }[]>;
  /** What a batch says its stream adds up to. */
  totals(stream: string, number: number): Promise<OutcomeCount[]>;
  /** What the rows of a stream's batches add up to: `after` < number <= `upTo`. */
  sums(stream: string, after: number, upTo: number): Promise<OutcomeCount[]>;
}
