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
  /** The first by CPU of the last second and the first by memory. */
  processes: ProcessState[];
  /** Which second that was, Unix seconds; null when it has not looked yet. */
  processesTsSec: number | null;
  /** On the host; absent where the system does not tell, and from daemons that did not say. */
  processCount?: number;
  /** More than 1 on a host with thousands: those that use no CPU are read once in so many seconds. */
  idleProcessesEverySec?: number;
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
