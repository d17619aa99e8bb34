import type { HostIdentity } from "./batch-header.ts";

/**
 * Daemon <-> collector, over one WebSocket with subprotocol `apm-uplink.v1`.
 *
 * The license key travels in the upgrade request (`Authorization: Bearer KEY`); a wrong one is answered with 401.
 * Control messages are JSON text messages, told apart by `type`. A batch is a binary message: the bytes of the
 * batch file, nothing else (batch.ts). The collector answers each with one ack or nack.
 */
export type UplinkMessage =
  | UplinkHello
  | UplinkWelcome
  | UplinkAck
  | UplinkNack
  | UplinkSettings
  | UplinkFleet;

export interface UplinkHello {
  type: "hello";
  version: 1;
  host: HostIdentity;
  stream: string;
  /** Number that the next new batch will get. */
  nextNumber: number;
}

export interface UplinkWelcome {
  type: "welcome";
  version: 1;
  collectorVersion: string;
  /** Highest batch number of this stream that is committed, 0 for none. Informative: acks decide. */
  lastNumber: number;
  /** Codecs the collector can read, see batch.ts. */
  codecs: string[];
  /** As in UplinkFleet; older collectors do not say it. */
  reconnectSpreadMs?: number;
}

/** How many daemons there are has changed. A daemon that does not know the message loses nothing. */
export interface UplinkFleet {
  type: "fleet";
  /** When this connection ends, the daemon comes back at a random moment within so long, so that not all come at once. */
  reconnectSpreadMs: number;
}

/** D2: the batch and its number are committed (or were before). */
export interface UplinkAck {
  type: "ack";
  stream: string;
  number: number;
}

export interface UplinkNack {
  type: "nack";
  stream: string;
  number: number;
  code:
    | "BATCH_MALFORMED"
    | "BATCH_CORRUPT"
    | "CODEC_UNSUPPORTED"
    | "OVERLOADED"
    | "STORE_UNAVAILABLE"
    | "DISK_LOW";
  message: string;
  /** True: sending it again cannot help. False: try again after `retryAfterMs`. */
  permanent: boolean;
  retryAfterMs: number;
}

/** Settings of apps, pushed by the collector at any time. */
export interface UplinkSettings {
  type: "settings";
  apps: Record<string, { apdexTMs?: number }>;
}
