import type { HostIdentity, TraceSummary } from "./batch-header.ts";
import { MAX_WANTED_TRACES } from "./limits.ts";
import type { UplinkSecond, UplinkWatch } from "./live.ts";
import type { SettingsSet } from "./pushed-settings.ts";

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
  | UplinkApplied
  | UplinkFleet
  | UplinkWant
  | UplinkFound
  | UplinkWatch
  | UplinkSecond
  | UplinkWantText
  | UplinkText;

export interface UplinkHello {
  type: "hello";
  version: 1;
  host: HostIdentity;
  stream: string;
  /** Number that the next new batch will get. */
  nextNumber: number;
  /** What this daemon can do that older ones cannot, e.g. LIVE_FEATURE; those do not say it. */
  features?: string[];
  /** Revision of the settings that the daemon has; null when its host takes none. Older daemons do not say it, and know no SETTINGS. */
  settingsRevision?: string | null;
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

/** All settings that are made in the console, after WELCOME and whenever they change, for daemons that know them. */
export interface UplinkSettings extends SettingsSet {
  type: "settings";
}

/** The daemon's answer to SETTINGS: these hold now, and after its restart. */
export interface UplinkApplied {
  type: "applied";
  revision: string;
}

/** The collector asks for the spans of traces that may be in the daemon's journal, kept or not. */
export interface UplinkWant {
  type: "want";
  /** Whole number that the collector chose; the answer repeats it. */
  id: number;
  /** 1 to MAX_WANTED_TRACES, 32 hex digits each. */
  traceIds: string[];
  /** How long the collector waits from now. */
  deadlineMs: number;
}

/** Why the journal may hold more of the traces than was answered. */
export type FoundGap = "deadline" | "too_large" | "busy" | "unreadable";

/** The daemon's answer to a WANT, in one or several messages of at most MAX_UPLINK_MESSAGE_BYTES. */
export interface UplinkFound {
  type: "found";
  id: number;
  parts: FoundPart[];
  /** True when another message of this answer follows; what is below counts in the last one. */
  hasMore: boolean;
  /** Receipt of the oldest frame that the journal holds; null when it holds none, or was not looked at. */
  oldestUnixMs: number | null;
  /** "" when the journal was searched whole and everything is here. */
  gap: FoundGap | "";
}

/** One process's part of a trace. */
export interface FoundPart {
  summary: FoundSummary;
  /** SPANS payload with the spans of this part, base64. */
  frame: string;
}

export interface FoundSummary extends Omit<TraceSummary, "reason"> {
  /** unfinished: the request had not ended, so its entry span is missing and action, status and duration are unknown. */
  reason: "fetched" | "unfinished";
}

/**
 * The collector asks for a statement whose text does not travel in batches (settings.sql = "local"), because somebody looks
 * at it. An older daemon ignores the message.
 */
export interface UplinkWantText {
  type: "want_text";
  /** As in UplinkWant; both kinds of questions share the numbers. */
  id: number;
  /** 16 hex digits. */
  fingerprint: string;
}

/** The daemon's answer to a WANT_TEXT. */
export interface UplinkText {
  type: "text";
  id: number;
  /** The statement's beginning, a few hundred characters; "" where the daemon does not know it (any more). */
  text: string;
}

/** Reads a WANT_TEXT of a collector; null when it is none that can be answered. */
export function parseWantText(message: unknown): UplinkWantText | null {
  const want = message as Partial<UplinkWantText> | null;
  if (want?.type !== "want_text" || !Number.isSafeInteger(want.id)) return null;
  const isFingerprint = typeof want.fingerprint === "string" && /^[0-9a-f]{16}$/.test(want.fingerprint);
  return isFingerprint ? (want as UplinkWantText) : null;
}

/** Reads a WANT of a collector; null when it is none that can be answered. */
export function parseWant(message: unknown): UplinkWant | null {
  const want = message as Partial<UplinkWant> | null;
  if (want?.type !== "want" || !Number.isSafeInteger(want.id) || !Array.isArray(want.traceIds)) return null;
  const isIdList = want.traceIds.every((id) => typeof id === "string" && /^[0-9a-f]{32}$/.test(id));
  const isFew = want.traceIds.length > 0 && want.traceIds.length <= MAX_WANTED_TRACES;
  const isDeadline = typeof want.deadlineMs === "number" && want.deadlineMs > 0;
  return isIdList && isFew && isDeadline ? (want as UplinkWant) : null;
}
