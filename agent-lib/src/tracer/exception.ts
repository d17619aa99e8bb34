import {
  type AttributeValue,
  type ExceptionText,
  MAX_ATTRIBUTE_CHARS,
  MAX_STACK_FRAMES,
} from "@apm-daemon/protocol";
import { obfuscateMessage } from "../sql/obfuscate-message.ts";
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
      return { type: typeof thrown, message: truncate(String(thrown), MAX_ATTRIBUTE_CHARS), stack: "" };
    const { name, code, message, stack } = thrown as Record<string, unknown>;
    const type = textOf(name) || textOf(code) || "Error";
    const text = textOf(message);
    return {
      type: truncate(type === "Error" ? classOf(thrown) : type, 255),
      message: truncate(databaseErrors.has(thrown) ? obfuscateMessage(text) : text, MAX_ATTRIBUTE_CHARS),
      stack: framesOf(textOf(stack)),
    };
  } catch {
    return { type: "unknown", message: "", stack: "" };
  }
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

const FRAME = /^\s+at .*$/gm;
const MAX_FRAME_CHARS = 300;

function framesOf(stack: string): string {
  // A stack is read up to a bound: its message may be of any size.
  const frames = stack.slice(0, 65_536).match(FRAME) ?? [];
  return frames
    .slice(0, MAX_STACK_FRAMES)
    .map((frame) => truncate(frame, MAX_FRAME_CHARS))
    .join("\n");
}
