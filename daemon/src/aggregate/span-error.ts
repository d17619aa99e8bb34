import { createHash } from "node:crypto";
import { type AttributeValue, parseSpanExtra, type SpanEvent, type SpanView } from "@apm-daemon/protocol";
import { shortened } from "./shortened.ts";

/** An error as it is shown: what, where, and the group it belongs to. */
export interface SpanError {
  type: string;
  message: string;
  stack: string;
}

const MAX_MESSAGE_CHARS = 1_024;
const MAX_STACK_CHARS = 8_192;
const GROUPING_FRAMES = 3;
const NOT_OWN = /[/\\]node_modules[/\\]|\bnode:|\(?<anonymous>\)?$|\(native\)$/;
/** A folder named by a date, a build's number or a commit. */
const RELEASE = /\/(?:v?\d[\d._T-]{5,}|(?=[a-f]*\d)[0-9a-f]{7,40})\//gi;

/** The first exception recorded on a span; null when there is none. */
export function spanErrorOf(span: SpanView): SpanError | null {
  const extra = parseSpanExtra(span.extraJson);
  const events: readonly Partial<SpanEvent | null>[] = Array.isArray(extra.events) ? extra.events : [];
  const exception = events.find((event) => event?.name === "exception");
  if (!exception) {
    return typeof extra.statusMessage === "string" && extra.statusMessage !== ""
      ? { type: "Error", message: shortened(extra.statusMessage, MAX_MESSAGE_CHARS), stack: "" }
      : null;
  }
  const attributes = exception.attributes ?? {};
  return {
    type: text(attributes["exception.type"], 255) || "Error",
    message: text(attributes["exception.message"], MAX_MESSAGE_CHARS),
    stack: text(attributes["exception.stacktrace"], MAX_STACK_CHARS),
  };
}

/**
 * 16 hex digits: same type, same message but for numbers, ids and quoted parts, same top stack frames of the app's own but for
 * lines. Frames of libraries and of Node would make other groups of what an update moves; so would folders of releases.
 */
export function errorGroupOf(error: SpanError): string {
  const message = error.message
    .replace(/"[^"]*"|'[^']*'|`[^`]*`/g, "?")
    // Not by a look ahead for the digit: a text like "a-a-a-…" would be searched anew from each of its letters.
    .replace(/\b[0-9a-f-]{2,}\b|\d+/gi, (word) => (/\d/.test(word) ? "#" : word));
  const all = error.stack.split("\n").filter((line) => /^\s+at /.test(line));
  const own = all.filter((line) => !NOT_OWN.test(line));
  const frames = (own.length > 0 ? own : all)
    .slice(0, GROUPING_FRAMES)
    .map((line) => line.replace(/:\d+:\d+/g, "").replace(RELEASE, "/#/"));
  return createHash("sha256")
    .update([error.type, message, ...frames].join("\n"))
    .digest("hex")
    .slice(0, 16);
}

function text(value: AttributeValue | undefined, maxChars: number): string {
  return typeof value === "string" ? shortened(value, maxChars) : "";
}
