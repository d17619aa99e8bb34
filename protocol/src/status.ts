import type { AgentSettings, Deployment, LibrariesReport, RecordingLevel } from "./control.ts";
import type { SettingsSet } from "./pushed-settings.ts";

/** What `GET /status` on the daemon's status socket answers, and `apm status --json` prints. */
export interface StatusReport {
  version: string;
  pid: number;
  startUnixMs: number;
  host: string;
  /** "ok", or the worst of `problems`. */
  health: "ok" | "degraded" | "failing";
  /** One sentence each: what is wrong, of what, and what to do. */
  problems: string[];
  /** The daemon's own cost, over the last 10 s; older daemons do not say the delay of its event loop. */
  self: { cpuRatio: number; rssBytes: number; eventLoopDelayP99Ms?: number };
  /** The newest host second; names of HOST_METRICS. */
  hostSecond: Record<string, number | null>;
  /** How the sampling gets on; older daemons do not say it. */
  sampling?: SamplingStatus;
  agentSocket: string;
  /** Where it keeps its data and has its license key from; older daemons do not say it. */
  files?: { stateDir: string; licenseKeyFile: string | null };
  apps: StatusApp[];
  /** What was set in the console, and what of it does not hold here; older daemons do not say it. */
  settings?: { isTaken: boolean; fromCollector: SettingsSet; sql: AgentSettings["sql"] };
  intake: {
    connections: number;
    frames: number;
    spans: number;
    bytes: number;
    refused: number;
    malformed: number;
    /** Frames that came again and were not counted again; additive, so older daemons do not say it. */
    duplicates?: number;
    /** Times an instance left out sequence numbers. */
    sequenceJumps?: number;
    /** Whether uid and pid of apps are the kernel's word, or as they claim. Additive, like all below. */
    origin?: "proven" | "claimed";
    /** Connections refused by reason: names of limits. */
    refusedBy?: Record<string, number>;
    /** Users whose apps are read slower than they write, and for how long that was so since start. */
    throttled?: { users: number; ms: number };
    /** The five users who send most, the fastest first; all whose user is not proven are one, without uid. */
    users?: StatusUser[];
    /** Connected processes whose claimed pid is not theirs. */
    falsePids?: number;
  };
  journal: {
    bytes: number;
    segments: number;
    position: number;
    sealed: number;
    capBytes: number;
    /** Times the disk refused to sync a segment, which was then rewritten, since start. */
    syncFailures?: number;
    /** Times nothing could be taken in because the journal could not be written, since start. */
    stalls?: number;
  };
  /** What the start made of what the run before had left. */
  recovery?: RecoveryStatus;
  outbox: {
    batches: number;
    bytes: number;
    oldestUnixMs: number | null;
    capBytes: number;
    /** Batches that the collector can never use; they lie in outbox/dead-letter. */
    deadLetters?: number;
  };
  uplink: {
    url: string;
    state: "connected" | "connecting" | "waiting" | "refused";
    /** Why not connected; "" when connected. */
    reason: string;
    lastAckUnixMs: number | null;
    batchesAcked: number;
    bytesSent: number;
    /** Bytes of batches that were sent and not answered. */
    inFlightBytes?: number;
    /** Bytes that wait in the daemon's memory until the network takes them. */
    bufferedBytes?: number;
  };
  /** Traces chosen but left out because a batch was full, since start; their requests are counted all the same. */
  traces?: { passedOver: number; verdicts?: VerdictCounts };
  /** Spans lost, by app and reason, since start. */
  dropped: Record<string, Record<string, number>>;
  /** The newest ends of apps' processes, newest first; none when missing. */
  events?: StatusEvent[];
}

export interface FailingSampler {
  /** A part of the sampling, such as "disks". */
  sampler: string;
  /** What is wrong, of what, and what to do. */
  problem: string;
}

export interface SamplingStatus {
  /** Parts whose values are null now although this system has them. */
  failing: FailingSampler[];
  /** How the host's processes are looked at; null where the system does not tell of them. */
  processes: {
    count: number;
    /** Read in the last second: all, unless they are thousands. */
    read: number;
    /** Those that use no CPU are read once in so many seconds. */
    idleEverySec: number;
    /** Beyond the most that are looked at. */
    unlisted: number;
    /** Those of other users whose disk work the kernel shows to nobody without CAP_SYS_PTRACE; older daemons do not say it. */
    ioHidden?: number;
  } | null;
  /** Apps' processes that are not sampled because too many are, since start. */
  refusedProcesses: number;
}

/** Verdicts on slow requests since start: made, not made because of an error, and because one seal had too many. */
export interface VerdictCounts {
  made: number;
  failed: number;
  leftOut: number;
}

export interface StatusEvent {
  tsMs: number;
  app: string;
  pid: number;
  kind: "crash" | "exit" | "vanished";
  title: string;
}

export interface RecoveryStatus {
  /** Where the daemon learned how far it had come; "lost": nowhere, so frames that were not sealed are not counted. */
  cursor: "new" | "file" | "outbox" | "lost";
  framesFound: number;
  /** Frames counted again because no batch had them. */
  framesReplayed: number;
  /** Bytes of the journal that hold nothing readable. */
  unreadableBytes: number;
  /** Of these, bytes copied to journal/quarantine. */
  quarantinedBytes: number;
  /** Batches that could not be read. */
  quarantinedBatches: number;
  /** Files of a later release, left as they are. */
  unknownVersionFiles: string[];
  waitingBatches: number;
  durationMs: number;
}

export interface StatusUser {
  uid: number | null;
  /** The number as text where it has no name; "" when the user is not proven. */
  name: string;
  connections: number;
  bytes: number;
  bytesPerSecond: number;
  isThrottled: boolean;
  throttledMs: number;
  refused: number;
}

export interface StatusApp {
  app: string;
  instances: StatusInstance[];
  /** Of the last full minute. */
  requests: number;
  errors: number;
  throughputRpm: number;
  apdex: number | null;
  /** The threshold T that holds now; older daemons do not say it. */
  apdexTMs?: number;
  avgMs: number | null;
  /** From the minute's merged histograms; older daemons do not say it. */
  p95Ms?: number | null;
}

/** A connected process. */
export interface StatusInstance extends Deployment {
  instance: string;
  /** As this host counts, where it is proven. */
  pid: number;
  /** Whether the pid is the kernel's word, or the app's. */
  origin?: "proven" | "claimed";
  /** Null where it is not proven. */
  uid?: number | null;
  /** What the app calls itself, where that is another: in a container, or when it lies. */
  claimedPid?: number;
  runtime: string;
  /** Release of its agent; older daemons do not say it. */
  agentVersion?: string;
  cpuRatio: number | null;
  rssBytes: number | null;
  /** What its agent records, and what recording everything costs, as a share of the process's processor time. */
  recording?: RecordingLevel;
  overheadRatio?: number;
  /** Libraries that its agent knows, as it found them. */
  libraries?: LibrariesReport;
}
