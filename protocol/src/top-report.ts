import type { ProcessState } from "./batch-header.ts";
import type { StatusReport } from "./status.ts";

/** What `GET /top` on the daemon's status socket answers, and `apm top --json` prints. */
export interface TopReport
  extends Pick<
    StatusReport,
    "version" | "startUnixMs" | "host" | "health" | "problems" | "self" | "hostSecond"
  > {
  nowUnixMs: number;
  cores: number;
  /** Apps with connected processes, most requests first; at most MAX_TOP_APPS. */
  apps: TopApp[];
  appsLeftOut: number;
  /** The first by CPU and the first by memory, as the daemon saw them last. */
  processes: ProcessState[];
  /** When that was, Unix seconds; null when it has not looked yet. */
  processesTsSec: number | null;
}

/** All connected processes of an app. Its requests are those of the last full minute. */
export interface TopApp {
  app: string;
  instances: number;
  requests: number;
  errors: number;
  throughputRpm: number;
  apdex: number | null;
  avgMs: number | null;
  p95Ms: number | null;
  /** Sums over the processes; null when none is known. */
  cpuRatio: number | null;
  rssBytes: number | null;
  /** Of the process where it is worst, in its last seconds. */
  eventLoopDelayP99Ms: number | null;
}

/** Apps in one answer; the rest is counted. */
export const MAX_TOP_APPS = 200;
