/**
 * Payloads of the control messages and of the small data frames. They are rare, so they are JSON (UTF-8):
 *
 *   HELLO    u16 LE protocol version, then JSON Hello
 *   WELCOME  JSON Welcome      REFUSE  JSON Refuse      SETTINGS  JSON AgentSettings
 *   ACK      u64 LE sequence number
 *   RUNTIME  u64 LE sequence number, then JSON RuntimeFrame
 *   GAP      u64 LE sequence number, then JSON Gap
 *   BYE      u64 LE sequence number, then JSON Bye
 *
 * Readers ignore fields they do not know.
 */
import { ProtocolError } from "./errors.ts";
import {
  AGENT_PROTOCOL_VERSIONS,
  MAX_ATTRIBUTE_CHARS,
  MAX_COUNTERS_PER_FRAME,
  MAX_NAME_CHARS,
  MAX_STACK_FRAMES,
} from "./limits.ts";
import { encodeMessage, MessageType, type MessageTypeNumber, sequenceOf, writeSequence } from "./message.ts";
import { MAX_U32 } from "./span-frame.ts";

/** Where a process comes from, as far as it found out. */
export interface Deployment {
  /** Of the app, e.g. "1.4.2". */
  appVersion?: string;
  /** 64 hex digits in most. */
  containerId?: string;
  /** e.g. "shop.service". */
  systemdUnit?: string;
}

export interface Hello extends Deployment {
  app: string;
  /** 32 hex digits, random per process incarnation; new after fork, per worker. */
  instance: string;
  pid: number;
  startUnixMs: number;
  /** e.g. "node 20.20.2". */
  runtime: string;
  agentVersion: string;
  /** Sequence number of the oldest frame that the agent still holds, or the next one it will send. */
  firstUnacknowledged: number;
}

export interface Welcome {
  version: number;
  /** Highest sequence number of this instance that is journaled; 0 for none. */
  lastSequence: number;
  settings: AgentSettings;
}

export interface AgentSettings {
  /** How database statements are recorded; local is like obfuscated, but the text stays on the host. */
  sql: "off" | "obfuscated" | "local" | "raw";
  /** Longest time a span waits in the agent while the app is busy. */
  flushIntervalMs: number;
  /** Most share of the process's processor time that the agent may take; above it, it records less. 0: no limit. */
  overheadBudgetRatio: number;
  /** Calls to databases that take that long tell where they come from; older daemons do not say it. */
  slowStatementMs?: number;
}

export interface Refuse {
  code:
    | "VERSION_UNSUPPORTED"
    | "HELLO_MALFORMED"
    | "TOO_MANY_CONNECTIONS"
    | "FRAME_TOO_LARGE"
    | "FRAME_MALFORMED"
    | "FRAME_INCOMPLETE"
    | "INSTANCE_TAKEN"
    | "SHUTTING_DOWN";
  /** One sentence that says what to do. */
  message: string;
  retryAfterMs: number;
}

/** "errors_and_slow": requests, and what failed or was slow below them. "requests": these alone. */
export type RecordingLevel = (typeof RECORDING_LEVELS)[number];
export const RECORDING_LEVELS = ["everything", "errors_and_slow", "requests"] as const;

export interface RuntimeFrame {
  unixMs: number;
  eventLoopDelayP99Ms: number;
  eventLoopUtilizationRatio: number;
  /** Sum of the pauses since the last frame; null when they were not watched. */
  gcPauseMs: number | null;
  heapUsedBytes: number;
  heapTotalBytes: number;
  /** Spans ended since process start, sent or not. */
  spansCreated: number;
  /** Of these, lost in the agent, told or not. */
  spansDropped: number;
  /** Of these, in SPANS frames numbered below this one; null when the agent does not count them. */
  spansFramed: number | null;
  /** Of these, told as lost in GAP frames numbered below this one; null when the agent does not count them. */
  spansReported: number | null;
  /** What the agent records now to stay within its budget; missing from agents that have none. */
  recording?: RecordingLevel;
  /** What recording everything costs, as a share of the process's processor time in the last second. */
  overheadRatio?: number;
  /** Requests older than 1 s that have not ended, oldest first, at most 20. */
  inFlight: { action: string; traceId: string; ageMs: number }[];
  /** What the app's own counters counted since the last frame, by name; missing when nothing was counted. */
  counters?: Record<string, number>;
  /** When it changed, and now and then. */
  libraries?: LibrariesReport;
}

/** What an agent found of the libraries that it knows. */
export interface LibrariesReport {
  /** What bundled the main script, so that the agent cannot look into it; null when nothing did. */
  bundler: string | null;
  found: LibraryReport[];
}

export interface LibraryReport {
  name: string;
  /** "" where it cannot be known. */
  version: string;
  /** "failed": its patch broke. "bundled": it lies in the bundle, where it is not recorded. */
  state: "recorded" | "failed" | "bundled";
}

export interface Gap {
  /** Spans lost in the agent since the last GAP, by reason. */
  dropped: Record<string, number>;
}

/** The instance's last frame: the process ends of its own will. */
export interface Bye {
  /** Null when unknown, or when only the agent stops. */
  exitCode: number | null;
  /** As in RuntimeFrame, and final. */
  spansCreated: number;
  spansFramed: number | null;
  spansReported: number | null;
  /** The uncaught exception that ends the process; missing when there was none. */
  error?: ExceptionText;
}

/** What was thrown; the stack has its frames alone, without the message. */
export interface ExceptionText {
  type: string;
  message: string;
  stack: string;
}

/** Longer waits are not believed; timers overflow at 2^31 ms and would fire at once. */
const MAX_RETRY_AFTER_MS = 3_600_000;
const MAX_LIBRARIES = 100;
const MAX_GAP_REASONS = 32;
const GAP_REASON = /^[a-z][a-z0-9_]{0,63}$/;

export const DEFAULT_SLOW_STATEMENT_MS = 500;
const MAX_SLOW_STATEMENT_MS = 600_000;

export const DEFAULT_AGENT_SETTINGS: AgentSettings = {
  sql: "obfuscated",
  flushIntervalMs: 100,
  overheadBudgetRatio: 0.03,
};

export function encodeHello(hello: Hello, version: number = AGENT_PROTOCOL_VERSIONS[0] ?? 1): Buffer {
  const json = Buffer.from(JSON.stringify(hello));
  const payload = Buffer.allocUnsafe(2 + json.length);
  payload.writeUInt16LE(version, 0);
  json.copy(payload, 2);
  return encodeMessage(MessageType.hello, payload);
}

/** Throws VERSION_UNSUPPORTED (saying which versions are spoken) or FRAME_MALFORMED (naming the field). */
export function decodeHello(payload: Buffer): Hello & { version: number } {
  if (payload.length < 2) throw malformed("HELLO is shorter than its version");
  const version = payload.readUInt16LE(0);
  if (!AGENT_PROTOCOL_VERSIONS.includes(version)) {
    throw new ProtocolError(
      "VERSION_UNSUPPORTED",
      `the agent speaks protocol version ${version}, this daemon speaks ${AGENT_PROTOCOL_VERSIONS.join(", ")}: install agent and daemon of the same release`,
      { version },
    );
  }
  const hello = parseJson(payload.subarray(2), "HELLO");
  const { app, instance, pid, startUnixMs, runtime, agentVersion, firstUnacknowledged } = hello;
  if (!isName(app))
    throw malformed(`HELLO's app must be 1 to ${MAX_NAME_CHARS} characters without control characters`);
  if (typeof instance !== "string" || !/^[0-9a-f]{32}$/.test(instance))
    throw malformed("HELLO's instance must be 32 hex digits");
  if (!isCount(pid) || !isCount(startUnixMs) || !isCount(firstUnacknowledged)) {
    throw malformed("HELLO's pid, startUnixMs and firstUnacknowledged must be whole numbers");
  }
  if (pid > MAX_U32 || startUnixMs > MAX_U32 * 1_000)
    throw malformed("HELLO's pid or startUnixMs is too large to be one");
  if (!isName(runtime) || !isName(agentVersion))
    throw malformed("HELLO's runtime and agentVersion must be short strings");
  const named = { version, app, instance, pid, startUnixMs, runtime, agentVersion, firstUnacknowledged };
  return { ...named, ...deploymentOf(hello) };
}

/** What says where a process comes from, and nothing else; values that are no short text are left out. */
export function deploymentOf(said: { readonly [Key in keyof Deployment]?: unknown }): Deployment {
  const { appVersion, containerId, systemdUnit } = said;
  return {
    ...(isName(appVersion) && { appVersion }),
    ...(isName(containerId) && { containerId }),
    ...(isName(systemdUnit) && { systemdUnit }),
  };
}

export function encodeWelcome(welcome: Welcome): Buffer {
  return encodeJson(MessageType.welcome, welcome);
}

export function decodeWelcome(payload: Buffer): Welcome {
  const { version, lastSequence, settings } = parseJson(payload, "WELCOME");
  if (!isCount(version) || !isCount(lastSequence)) throw malformed("WELCOME lacks version or lastSequence");
  return { version, lastSequence, settings: readSettings(settings) };
}

export function encodeRefuse(refuse: Refuse): Buffer {
  return encodeJson(MessageType.refuse, refuse);
}

/** The message is one line of at most MAX_ATTRIBUTE_CHARS, the wait at most an hour (30 s if none is given). */
export function decodeRefuse(payload: Buffer): Refuse {
  const { code, message, retryAfterMs } = parseJson(payload, "REFUSE");
  if (!isName(code) || typeof message !== "string") throw malformed("REFUSE lacks code or message");
  return {
    code: code as Refuse["code"],
    message: message.slice(0, MAX_ATTRIBUTE_CHARS).replaceAll(/\p{Cc}/gu, " "),
    retryAfterMs: isCount(retryAfterMs) ? Math.min(retryAfterMs, MAX_RETRY_AFTER_MS) : 30_000,
  };
}

export function encodeSettings(settings: AgentSettings): Buffer {
  return encodeJson(MessageType.settings, settings);
}

export function decodeSettings(payload: Buffer): AgentSettings {
  return readSettings(parseJson(payload, "SETTINGS"));
}

export function encodeBye(sequence: number, bye: Bye): Buffer {
  return encodeSequenced(MessageType.bye, sequence, bye);
}

export function decodeBye(payload: Buffer): Bye {
  sequenceOf(payload);
  const { exitCode, spansCreated, spansFramed, spansReported, error } = parseJson(payload.subarray(8), "BYE");
  const exception = readException(error);
  return {
    exitCode: Number.isSafeInteger(exitCode) ? (exitCode as number) : null,
    spansCreated: countOrNull(spansCreated) ?? 0,
    spansFramed: countOrNull(spansFramed),
    spansReported: countOrNull(spansReported),
    ...(exception === null ? {} : { error: exception }),
  };
}

export function encodeAck(sequence: number): Buffer {
  const payload = Buffer.allocUnsafe(8);
  writeSequence(payload, 0, sequence);
  return encodeMessage(MessageType.ack, payload);
}

export function decodeAck(payload: Buffer): number {
  return sequenceOf(payload);
}

export function encodeRuntime(sequence: number, runtime: RuntimeFrame): Buffer {
  return encodeSequenced(MessageType.runtime, sequence, runtime);
}

/** Numbers that are missing or not finite read as 0, pauses as unknown; entries of `inFlight` and `counters` that are malformed are left out. */
export function decodeRuntime(payload: Buffer): RuntimeFrame {
  sequenceOf(payload);
  const frame = parseJson(payload.subarray(8), "RUNTIME");
  const counters = readCounters(frame["counters"]);
  const libraries = readLibraries(frame["libraries"]);
  const number = (key: string): number => (Number.isFinite(frame[key]) ? (frame[key] as number) : 0);
  return {
    unixMs: number("unixMs"),
    eventLoopDelayP99Ms: number("eventLoopDelayP99Ms"),
    eventLoopUtilizationRatio: number("eventLoopUtilizationRatio"),
    gcPauseMs: Number.isFinite(frame["gcPauseMs"]) ? number("gcPauseMs") : null,
    heapUsedBytes: number("heapUsedBytes"),
    heapTotalBytes: number("heapTotalBytes"),
    spansCreated: number("spansCreated"),
    spansDropped: number("spansDropped"),
    spansFramed: countOrNull(frame["spansFramed"]),
    spansReported: countOrNull(frame["spansReported"]),
    ...readRecording(frame),
    inFlight: Array.isArray(frame["inFlight"]) ? frame["inFlight"].slice(0, 20).flatMap(readInFlight) : [],
    ...(counters === null ? {} : { counters }),
    ...(libraries === null ? {} : { libraries }),
  };
}

export function encodeGap(sequence: number, gap: Gap): Buffer {
  return encodeSequenced(MessageType.gap, sequence, gap);
}

/** Keeps at most 32 reasons; what is lost for further ones, or for names that are none, counts as "other". */
export function decodeGap(payload: Buffer): Gap {
  sequenceOf(payload);
  const { dropped } = parseJson(payload.subarray(8), "GAP");
  if (typeof dropped !== "object" || dropped === null || Array.isArray(dropped))
    throw malformed("GAP lacks its counts");
  const counts = new Map<string, number>();
  for (const [reason, count] of Object.entries(dropped)) {
    if (!isCount(count) || count === 0) continue;
    const name = counts.size < MAX_GAP_REASONS && GAP_REASON.test(reason) ? reason : "other";
    counts.set(name, Math.min((counts.get(name) ?? 0) + count, Number.MAX_SAFE_INTEGER));
  }
  return { dropped: Object.fromEntries(counts) };
}

function encodeJson(type: MessageTypeNumber, value: object): Buffer {
  return encodeMessage(type, Buffer.from(JSON.stringify(value)));
}

function encodeSequenced(type: MessageTypeNumber, sequence: number, value: object): Buffer {
  const json = Buffer.from(JSON.stringify(value));
  const payload = Buffer.allocUnsafe(8 + json.length);
  writeSequence(payload, 0, sequence);
  json.copy(payload, 8);
  return encodeMessage(type, payload);
}

function parseJson(bytes: Buffer, message: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch {
    throw malformed(`${message} is not JSON`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw malformed(`${message} is not a JSON object`);
  return value as Record<string, unknown>;
}

function readSettings(value: unknown): AgentSettings {
  const { sql, flushIntervalMs, overheadBudgetRatio, slowStatementMs } = (value ??
    {}) as Partial<AgentSettings>;
  return {
    sql: sql === "off" || sql === "local" || sql === "raw" ? sql : DEFAULT_AGENT_SETTINGS.sql,
    flushIntervalMs:
      isCount(flushIntervalMs) && flushIntervalMs >= 10 && flushIntervalMs <= 10_000
        ? flushIntervalMs
        : DEFAULT_AGENT_SETTINGS.flushIntervalMs,
    overheadBudgetRatio: isRatio(overheadBudgetRatio)
      ? overheadBudgetRatio
      : DEFAULT_AGENT_SETTINGS.overheadBudgetRatio,
    ...(isCount(slowStatementMs) &&
      slowStatementMs > 0 &&
      slowStatementMs <= MAX_SLOW_STATEMENT_MS && { slowStatementMs }),
  };
}

/** Nothing of an agent that has no budget, or a level that this release does not know. */
function readRecording({ recording, overheadRatio }: Record<string, unknown>): Partial<RuntimeFrame> {
  const level = RECORDING_LEVELS.find((each) => each === recording);
  return level === undefined || !isRatio(overheadRatio) ? {} : { recording: level, overheadRatio };
}

/** Null when it has no type. Texts are cut to what spans may carry. */
function readException(value: unknown): ExceptionText | null {
  const { type, message, stack } = (value ?? {}) as Record<string, unknown>;
  const text = (each: unknown, maxChars: number): string =>
    typeof each === "string" ? each.slice(0, maxChars) : "";
  const name = text(type, MAX_NAME_CHARS);
  if (name === "") return null;
  return {
    type: name,
    message: text(message, MAX_ATTRIBUTE_CHARS),
    stack: text(stack, MAX_STACK_FRAMES * MAX_NAME_CHARS),
  };
}

function readInFlight(value: unknown): RuntimeFrame["inFlight"] {
  const { action, traceId, ageMs } = (value ?? {}) as Record<string, unknown>;
  if (!isName(action) || typeof ageMs !== "number" || !Number.isFinite(ageMs)) return [];
  if (typeof traceId !== "string" || !/^[0-9a-f]{32}$/.test(traceId)) return [];
  return [{ action, traceId, ageMs }];
}

/** Null when there is none. */
function readCounters(value: unknown): Record<string, number> | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const counted = Object.entries(value)
    .filter(([name, amount]) => isName(name) && Number.isFinite(amount) && (amount as number) > 0)
    .slice(0, MAX_COUNTERS_PER_FRAME) as [string, number][];
  return counted.length === 0 ? null : Object.fromEntries(counted);
}

/** Null when it is none; entries that are malformed are left out. */
function readLibraries(value: unknown): LibrariesReport | null {
  const { bundler, found } = (value ?? {}) as Record<string, unknown>;
  if (!Array.isArray(found)) return null;
  return {
    bundler: isName(bundler) ? bundler : null,
    found: found.slice(0, MAX_LIBRARIES).flatMap(readLibrary),
  };
}

function readLibrary(value: unknown): LibraryReport[] {
  const { name, version, state } = (value ?? {}) as Record<string, unknown>;
  if (!isName(name) || (state !== "recorded" && state !== "failed" && state !== "bundled")) return [];
  return [{ name, version: isName(version) ? version : "", state }];
}

function isName(value: unknown): value is string {
  return (
    typeof value === "string" &&
    value.length > 0 &&
    value.length <= MAX_NAME_CHARS &&
    !/[\p{Cc}\p{Cs}]/u.test(value)
  );
}

function isRatio(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= 1;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function countOrNull(value: unknown): number | null {
  return isCount(value) ? value : null;
}

function malformed(message: string): ProtocolError {
  return new ProtocolError("FRAME_MALFORMED", message);
}
