import type { HostMetric } from "./host-metrics.ts";

/** What can make a request slow, as a verdict names it. */
export const CAUSE_KINDS = [
  /** The hypervisor gave the CPU to other guests. */
  "cpu_steal",
  /** Other processes had the CPUs: tasks waited for one. */
  "cpu_contention",
  /** The app's control group had used up its CPU quota. */
  "cpu_throttling",
  "memory_pressure",
  "swap",
  "disk",
  "network",
  "garbage_collection",
  /** The app's own code kept its event loop busy, so that the request waited its turn. */
  "event_loop",
  /** The request waited for a database, a cache or another service. */
  "database",
  "cache",
  "external",
] as const;

export type CauseKind = (typeof CAUSE_KINDS)[number];

/** Something that was unusual while a request ran, or what it waited for. */
export interface VerdictCause {
  kind: CauseKind;
  /** The measure that shows it best: a name of HOST_METRICS or PROCESS_METRICS; "durationMs" for time in a database, cache or service. */
  metric: string;
  unit: HostMetric["unit"];
  /** In the request's seconds. */
  value: number;
  /** The median before it; null where there is no baseline. */
  usual: number | null;
  /** Estimated share of the request's time, 0 to 1, by which causes are ordered. */
  share: number;
  /** A process outside the app's tree that stands out: the noisy neighbour. */
  process?: { pid: number; command: string; cpuRatio: number };
  /** The database, cache or service, and the statement's fingerprint or the call's name. */
  target?: string;
  operation?: string;
}

/** Which part of the request took the most time. */
export interface VerdictTime {
  part: "code" | "database" | "cache" | "external" | "queue";
  /** Of the request's duration, 0 to 1. */
  ratio: number;
  /** Of "database", "cache" and "external": what was waited for longest; "" when unknown. */
  target: string;
}

/** Why a verdict is no surer; none when it is sure. */
export type VerdictDoubt =
  /** The request was so short that seconds show it badly. */
  | "short_request"
  /** Too few seconds before it to know what is usual. */
  | "short_baseline"
  /** Seconds of the request are missing. */
  | "missing_seconds"
  /** Several causes are about as strong. */
  | "close_causes"
  /** The causes explain a small part of the time. */
  | "little_explained"
  /** Not measured on this host (PSI, cgroup, the process's own numbers). */
  | "not_measured";

/** Why a request was slow: what was unusual on its host, and in its process, in its seconds. */
export interface Verdict {
  /** Strongest first, at most MAX_VERDICT_CAUSES; empty when nothing was unusual. */
  causes: VerdictCause[];
  time: VerdictTime;
  confidence: "high" | "medium" | "low";
  doubts: VerdictDoubt[];
  /** Seconds of the host that the request was compared with, and that it touched. */
  baselineSeconds: number;
  seconds: number;
}

export const MAX_VERDICT_CAUSES = 5;
