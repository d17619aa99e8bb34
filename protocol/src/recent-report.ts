import type { ActionKind, KeepReason, OperationCategory } from "./batch-header.ts";
import type { Verdict } from "./verdict.ts";

/** What `GET /recent?minutes=N` on the daemon's status socket answers, and `apm slow --json` prints. Lists end at MAX_RECENT_ROWS. */
export interface RecentReport {
  host: string;
  minutes: number;
  fromUnixMs: number;
  /** From when on all is known: the daemon's start, when that is later than `fromUnixMs`. */
  sinceUnixMs: number;
  toUnixMs: number;
  requests: number;
  errors: number;
  /** Duration of all requests together. */
  totalTimeMs: number;
  /** The most time-consuming first. */
  actions: RecentAction[];
  /** Calls to databases, caches and other services, the most time-consuming first. */
  calls: RecentCall[];
  /** The slowest calls to databases, the slowest first. */
  slowStatements: RecentSlowStatement[];
  /** Kept traces of requests that failed or were slow: longer than their Apdex threshold or slow_action_ms; the newest first. */
  traces: RecentTrace[];
  leftOut: RecentLeftOut;
}

/** What the daemon does not have because memory is bounded. */
export interface RecentLeftOut {
  /** Rows of actions and calls that are counted as "(other)". */
  actions: number;
  calls: number;
  slowStatements: number;
  traces: number;
  /** Whole minutes. */
  minutes: number;
}

export interface RecentAction {
  app: string;
  action: string;
  kind: ActionKind;
  requests: number;
  errors: number;
  apdex: number | null;
  totalTimeMs: number;
  /** Of all requests' time, 0 to 1. */
  share: number;
  avgMs: number;
  p95Ms: number;
  maxMs: number;
  databaseMs: number;
  cacheMs: number;
  externalMs: number;
}

export interface RecentCall {
  app: string;
  category: OperationCategory;
  system: string;
  target: string;
  operation: string;
  /** Fingerprint, "" where there is none. */
  statement: string;
  /** The statement's beginning as it was recorded, "" where that is not known. It does not leave the host. */
  text: string;
  calls: number;
  errors: number;
  totalTimeMs: number;
  /** Beside all requests' time; calls that run side by side may add up to more than 1. Null without requests. */
  share: number | null;
  avgMs: number;
  p95Ms: number;
  maxMs: number;
}

export interface RecentSlowStatement {
  endUnixMs: number;
  app: string;
  action: string;
  system: string;
  target: string;
  operation: string;
  statement: string;
  text: string;
  durationMs: number;
  error: boolean;
  traceId: string;
  /** The frame that called, "" where it is not known. */
  caller: string;
}

export interface RecentTrace {
  traceId: string;
  app: string;
  action: string;
  kind: ActionKind;
  startUnixMs: number;
  durationMs: number;
  status: number;
  error: boolean;
  reason: KeepReason;
  verdict?: Verdict;
}

/** Minutes that a daemon remembers. */
export const MAX_RECENT_MINUTES = 60;
/** Rows of each list of one answer. */
export const MAX_RECENT_ROWS = 50;
