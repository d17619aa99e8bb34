/**
 * Where slow statements are called from. When a call has turned out slow its caller's stack is gone, and taking the stack of every call
 * would cost more than all else that is done for it: 5 to 25 µs by its depth (2026-11-25, on a machine at load 10, so an upper bound; making
 * text of it 50 µs). Asking whether a statement is marked costs 0.1 µs at most. So the first slow call of a statement only marks it, and
 * the next ones have their stack taken as they start: its frames alone, which are made into text only if the call is slow again.
 *
 * One for the process, as the stack's depth is a setting of the process.
 */
import { fileURLToPath } from "node:url";
import { nowMs } from "../tracer/clock.ts";
import { truncate } from "../tracer/truncate.ts";

const MAX_FRAMES = 20;
const MAX_STACK_CHARS = 4_096;
/** Frames of drivers, of Node and of this agent stand before the caller's. */
const CAPTURED_FRAMES = 40;
const MAX_MARKED = 500;
/** A statement that is slow now and then may be called often. */
const STACKS_PER_SECOND = 100;

/** Below it are all files of the agent, also as source maps name them. */
const OWN_FOLDER = new URL("../..", import.meta.url).href;
const OWN_PATH = fileURLToPath(OWN_FOLDER);

/** A stack that is not text yet. */
export interface Origin {
  stack?: unknown;
  /** A pool's call has been found; what its callback calls comes from elsewhere. */
  isTaken?: true;
}

export class SlowStatements {
  /** From here on a call is slow. */
  thresholdMs = 500;
  readonly #marked = new Set<string>();
  readonly #origins = new WeakMap<object, Origin>();
  #second = 0;
  #taken = 0;

  /** Whether the next calls of a statement have their stack taken. */
  isMarked(statement: string): boolean {
    return this.#marked.size > 0 && this.#marked.has(statement);
  }

  get isAnyMarked(): boolean {
    return this.#marked.size > 0;
  }

  /** The stack of the running code, to be made into text if it is needed; null when enough were taken. */
  capture(): Origin | null {
    const second = Math.floor(nowMs() / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#taken = 0;
    }
    if (++this.#taken > STACKS_PER_SECOND) return null;
    const origin: Origin = {};
    const limit = Error.stackTraceLimit;
    try {
      Error.stackTraceLimit = CAPTURED_FRAMES;
      Error.captureStackTrace(origin);
      Error.stackTraceLimit = limit;
      return origin;
    } catch {
      return null; // An app may freeze Error.
    }
  }

  keep(call: object, origin: Origin): void {
    this.#origins.set(call, origin);
  }

  /** Notes a slow call; answers where it was called from, "" when that is not known. */
  slow(call: object, statement: string): string {
    if (statement !== "") {
      if (this.#marked.size >= MAX_MARKED) this.#marked.clear();
      this.#marked.add(statement);
    }
    try {
      return callerFrames(this.#origins.get(call)?.stack);
    } catch {
      return ""; // The text is made by the app's Error.prepareStackTrace, if it has one.
    }
  }
}

export const slowStatements: SlowStatements = new SlowStatements();

/** Text of at most MAX_FRAMES frames of the app and its libraries. */
export function callerFrames(stack: unknown): string {
  if (typeof stack !== "string") return "";
  const frames = stack.split("\n", CAPTURED_FRAMES + 1).filter(isOfTheApp);
  return truncate(frames.slice(0, MAX_FRAMES).join("\n"), MAX_STACK_CHARS);
}

function isOfTheApp(line: string): boolean {
  return (
    /^\s+at /.test(line) &&
    !/(?:\(| |^)node:/.test(line) &&
    !line.includes(OWN_FOLDER) &&
    !line.includes(OWN_PATH) &&
    !line.includes("<anonymous>)") &&
    !line.includes("(native)")
  );
}
