import type { ExceptionText } from "./control.ts";

/** How an app's process ended: without a goodbye, with an exit code, or while no daemon was there to see it. */
export type AppEventKind = "crash" | "exit" | "vanished";

/** The black-box report: what was known of an app's process when it ended. At most MAX_APP_EVENT_BYTES as JSON. */
export interface AppEvent {
  /** 32 hex digits, one per end of a process: whoever meets the same id again has the same event. */
  id: string;
  /** When the process ended; for "vanished" when it was last heard of. */
  tsMs: number;
  app: string;
  instance: string;
  pid: number;
  runtime: string;
  startUnixMs: number;
  kind: AppEventKind;
  /** One sentence that claims no more than `evidence` shows. */
  title: string;
  /** As the process told it; null without a goodbye. */
  exitCode: number | null;
  /** The uncaught exception that ended it, as the process told it. */
  error: ExceptionText | null;
  evidence: AppEventEvidence;
  /** Requests older than 1 s in the last RUNTIME frame, oldest first; ages are those of `inFlightUnixMs`. */
  inFlight: { action: string; traceId: string; ageMs: number }[];
  /** When that frame was received; null when there was none. */
  inFlightUnixMs: number | null;
  /** The last outgoing calls that ended, newest first. */
  lastCalls: AppEventCall[];
  curve: AppEventCurve;
  /** Time between the last frame received and the end: spans made within it cannot be known. Null when nothing was received. */
  crashWindowMs: number | null;
  /** Spans that the process had counted and that will not arrive: a lower bound, in the ledger as `app_crash_window`. */
  spansLostAtLeast: number;
}

/** What the kernel and the connection showed. Null is unknown, never 0. */
export interface AppEventEvidence {
  /** How the connection ended. */
  connection: "bye" | "closed" | "refused" | "none";
  /** Signal that ended the process, where the kernel still said it. */
  signal: number | null;
  /** Exit status, where the kernel still said it. */
  exitStatus: number | null;
  /** Memory cgroup of the process, "" when unknown. */
  cgroup: string;
  cgroupVersion: 1 | 2 | null;
  /** Processes in the cgroup when it was last looked at. */
  cgroupProcesses: number | null;
  /** Kills for lack of memory counted in the cgroup since it was looked at before the end. */
  oomKills: number | null;
  /** The same for the whole host. */
  hostOomKills: number | null;
  /** When the counters were read before the end. */
  countersUnixMs: number | null;
  /** The lowest limit that holds for the cgroup; null for none. */
  memoryLimitBytes: number | null;
  memoryUsedBytes: number | null;
  /** Times the cgroup was at its limit since its creation. */
  memoryLimitHits: number | null;
  rssBytes: number | null;
  /** When that was measured, Unix ms. */
  rssUnixMs: number | null;
  /** The end lies between these two, Unix ms. */
  notBeforeUnixMs: number;
  notAfterUnixMs: number;
}

export interface AppEventCall {
  /** When it ended. */
  endUnixMs: number;
  durationUs: number;
  category: "database" | "cache" | "external";
  system: string;
  name: string;
  target: string;
  /** As recorded: obfuscated unless the app's SQL mode is "raw". */
  statement: string;
  error: boolean;
  traceId: string;
}

/** The last seconds of the process, column by column; null where unknown. */
export interface AppEventCurve {
  tsSec: number[];
  rssBytes: (number | null)[];
  cpuRatio: (number | null)[];
  heapUsedBytes: (number | null)[];
  eventLoopDelayP99Ms: (number | null)[];
}

export const MAX_APP_EVENT_BYTES = 65_536;
export const MAX_EVENTS_PER_BATCH = 100;
