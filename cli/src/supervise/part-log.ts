import { fstatSync } from "node:fs";
import { type LogFn, pino } from "pino";
import type { CliContext } from "../cli-context.ts";
import { paintFor } from "../terminal/paint.ts";
import { readableLogLine } from "./log-line.ts";
import { RepeatedLines } from "./repeated-lines.ts";

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
    const prefixed = journalPrefix(env);
    return pino(options, { write: (line: string) => destination.write(prefixed(plainJson(line))) });
  }
  const paint = paintFor(stdout, env);
  return pino(options, {
    write: (line: string) => stdout.write(`${readableLogLine(name, line.trimEnd(), paint)}\n`),
  });
}

/** By pino's level, syslog's priority: see sd-daemon(3). */
const PRIORITIES: readonly (readonly [number, number])[] = [
  [60, 2],
  [50, 3],
  [40, 4],
  [30, 6],
];
const DEBUG = 7;

/** Where the journal reads, each line begins with its priority, which the journal takes off: `journalctl -p warning` finds it. */
function journalPrefix({ JOURNAL_STREAM: stream }: CliContext["env"]): (line: string) => string {
  if (stream === undefined || !isStdout(stream)) return (line) => line;
  return (line) => {
    const level = Number(/^\{"level":(\d+)/.exec(line)?.[1]);
    const [, priority = DEBUG] = PRIORITIES.find(([from]) => level >= from) ?? [];
    return `<${priority}>${line}`;
  };
}

/** JOURNAL_STREAM is device and inode of what systemd connected: see systemd.exec(5). It is inherited by who writes elsewhere, too. */
function isStdout(stream: string): boolean {
  try {
    const { dev, ino } = fstatSync(1, { bigint: true });
    return stream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}

/** JSON may hold characters that terminals obey, and that reorder or break lines: they are written as \\uXXXX, which means the same. */
function plainJson(line: string): string {
  return line.replace(
    /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
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
