import {
  type AttributeValue,
  type ExceptionText,
  MAX_ATTRIBUTE_CHARS,
  MAX_STACK_FRAMES,
} from "@apm-daemon/protocol";
import { obfuscateMessage } from "../sql/obfuscate-message.ts";
import { stripUrlsIn } from "../url-parts.ts";
import { truncate } from "./truncate.ts";

/** Errors of databases quote values in their messages; wherever they are recorded, they are obfuscated. */
const databaseErrors = new WeakSet<object>();

export function markDatabaseError(error: unknown): void {
  if (typeof error === "object" && error !== null) databaseErrors.add(error);
}

/** Type, message and at most MAX_STACK_FRAMES frames of anything that was thrown. Never throws, whatever getters do. */
export function describeException(thrown: unknown): ExceptionText {
  try {
    if (typeof thrown !== "object" || thrown === null)
      return {
        type: typeof thrown,
        message: truncate(stripUrlsIn(String(thrown)), MAX_ATTRIBUTE_CHARS),
        stack: "",
      };
    const { name, code, message, stack } = thrown as Record<string, unknown>;
    const type = textOf(name) || textOf(code) || "Error";
    const text = textOf(message);
    return {
      type: truncate(type === "Error" ? classOf(thrown) : type, 255),
      message: truncate(safeMessage(thrown, text), MAX_ATTRIBUTE_CHARS),
      stack: framesOf(textOf(stack), text),
    };
  } catch {
    return { type: "unknown", message: "", stack: "" };
  }
}

/** Drivers may hand the app another error than the one that came from the database; mappers wrap it, and tell the statement. */
function safeMessage(error: object, message: string): string {
  if (isDatabaseError(error)) return obfuscateMessage(message);
  const isWrapped = causesOf(error).some(isDatabaseError);
  return isWrapped ? (obfuscateMessage(message).split("\n", 1)[0] ?? "") : stripUrlsIn(message);
}

function isDatabaseError(error: object): boolean {
  return (
    databaseErrors.has(error) ||
    "sqlState" in error ||
    "sqlMessage" in error ||
    "sql" in error ||
    ("severity" in error && "routine" in error)
  );
}

const MAX_CAUSES = 5;

function causesOf(error: object): object[] {
  const causes: object[] = [];
  let next: unknown = error;
  while (causes.length < MAX_CAUSES) {
    const { cause, driverError, parent } = next as Record<string, unknown>;
    next = cause ?? driverError ?? parent;
    if (typeof next !== "object" || next === null) break;
    causes.push(next);
  }
  return causes;
}

/** The event's attributes by OpenTelemetry's conventions. */
export function exceptionAttributes(exception: ExceptionText): Record<string, AttributeValue> {
  return {
    "exception.type": exception.type,
    "exception.message": exception.message,
    ...(exception.stack === "" ? {} : { "exception.stacktrace": exception.stack }),
  };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function classOf(error: object): string {
  return error.constructor?.name || "Error";
}

const FRAME = /^[^\S\n]+at .*$/gm;
const MAX_FRAME_CHARS = 300;

function framesOf(stack: string, message: string): string {
  // What looks like a frame in the message is none.
  const from = message === "" ? -1 : stack.indexOf(message);
  const start = from === -1 ? 0 : from + message.length;
  // A stack is read up to a bound: its message may be of any size.
  const frames = stack.slice(start, start + 65_536).match(FRAME) ?? [];
  return frames
    .slice(0, MAX_STACK_FRAMES)
    .map((frame) => truncate(frame, MAX_FRAME_CHARS))
    .join("\n");
}
