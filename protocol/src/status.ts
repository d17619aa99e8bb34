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
  /** The daemon's own cost, over the last 10 s. */
  self: { cpuRatio: number; rssBytes: number };
  /** The newest host second; names of HOST_METRICS. */
  hostSecond: Record<string, number | null>;
  agentSocket: string;
  /** Where it keeps its data and has its license key from; older daemons do not say it. */
  files?: { stateDir: string; licenseKeyFile: string | null };
  apps: StatusApp[];
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
  outbox: { batches: number; bytes: number; oldestUnixMs: number | null; capBytes: number };
  uplink: {
    url: string;
    state: "connected" | "connecting" | "waiting" | "refused";
    /** Why not connected; "" when connected. */
    reason: string;
    lastAckUnixMs: number | null;
    batchesAcked: number;
    bytesSent: number;
  };
  /** Traces chosen but left out because a batch was full, since start; their requests are counted all the same. */
  traces?: { passedOver: number };
  /** Spans lost, by app and reason, since start. */
  dropped: Record<string, Record<string, number>>;
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

export interface StatusApp {
  app: string;
  instances: {
    instance: string;
    pid: number;
    runtime: string;
    /** Release of its agent; older daemons do not say it. */
    agentVersion?: string;
    cpuRatio: number | null;
    rssBytes: number | null;
  }[];
  /** Of the last full minute. */
  requests: number;
  errors: number;
  throughputRpm: number;
  apdex: number | null;
  avgMs: number | null;
}
