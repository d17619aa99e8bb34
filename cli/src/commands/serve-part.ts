import { type LogFn, pino } from "pino";
import type { CliContext } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";
import { readableLogLine } from "../supervise/log-line.ts";
import { RepeatedLines } from "../supervise/repeated-lines.ts";
import { paintFor } from "../terminal/paint.ts";
import { stopRequest } from "./stop-request.ts";

/** A started daemon or collector. */
export interface ServedPart {
  /** What `apm up` needs to know of it: see ReadyMessage. */
  address: string;
  stop(): Promise<void>;
  /** A stop that takes longer, on a disk that hangs, is broken off; without it, it may take its time. */
  stopWithinMs?: number;
}

/** Runs a part until a signal or the end of `apm up` stops it; the exit code. Throws START_REFUSED. */
export async function servePart(context: CliContext, start: () => Promise<ServedPart>): Promise<number> {
  const stopRequested = stopRequest(context);
  const part = await startedPart(start);
  context.parent?.send({ type: "ready", address: part.address });
  await stopRequested;
  const deadline =
    part.stopWithinMs === undefined ? null : setTimeout(() => breakOff(context), part.stopWithinMs);
  await part.stop();
  if (deadline !== null) clearTimeout(deadline);
  return 0;
}

/** An exit would wait for the call that hangs: measured, it takes as long as an fsync does. */
function breakOff(context: CliContext): void {
  context.stderr.write(
    "apm: the stop takes too long, the disk seems to hang; ended without it. What was acknowledged is counted at the next start\n",
  );
  context.killAtOnce();
}

/** Reasons come from collectors and apps: no line grows without bound. */
const MAX_MESSAGE_CHARS = 2_000;

/** The log of a part: JSON lines, or readable ones where a person watches; of lines that repeat only so many. */
export function partLog(
  name: string,
  level: string,
  context: Pick<CliContext, "stdout" | "env">,
): pino.Logger {
  const { stdout, env } = context;
  const options = { level, base: null, hooks: { logMethod: boundedLog() } };
  if (!stdout.isTTY) {
    const destination = pino.destination({ dest: 1, sync: true });
    // Who reads the log may be gone before us; a stop must go on without it.
    destination.on("error", () => {});
    return pino(options, destination);
  }
  const paint = paintFor(stdout, env);
  return pino(options, {
    write: (line: string) => stdout.write(`${readableLogLine(name, line.trimEnd(), paint)}\n`),
  });
}

/** Writes a line if not too many like it were written just now, with the number of those that were not. */
function boundedLog(): (this: pino.Logger, args: Parameters<LogFn>, method: LogFn, level: number) => void {
  const repeated = new RepeatedLines(() => performance.now());
  return function (args, method, level) {
    const [first, second] = args as unknown as [unknown, unknown];
    const text = typeof first === "string" ? first : typeof second === "string" ? second : "";
    const taken = repeated.take(level, text);
    if (taken === null) return;
    const message = text.length > MAX_MESSAGE_CHARS ? `${text.slice(0, MAX_MESSAGE_CHARS)}…` : text;
    const fields = {
      ...(typeof first === "object" ? first : {}),
      ...(taken.leftOut > 0 ? { leftOut: taken.leftOut } : {}),
      ...(taken.isLast ? { repeats: "further lines like this are left out for some seconds" } : {}),
    };
    if (text === "") method.call(this, fields);
    else method.call(this, fields, "%s", message);
  };
}

async function startedPart(start: () => Promise<ServedPart>): Promise<ServedPart> {
  try {
    return await start();
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    // The parts' own errors and the system's carry a code; anything else is a bug and shows its stack.
    if (cause instanceof Error && typeof (cause as { code?: unknown }).code === "string") {
      throw new CliError("START_REFUSED", cause.message, { cause });
    }
    throw cause;
  }
}
