import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { CliContext } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";
import { paintFor } from "../terminal/paint.ts";
import { Backoff, type BackoffOptions } from "./backoff.ts";
import { KeptProcess } from "./kept-process.ts";
import { readableLogLine } from "./log-line.ts";
import type { UpOutput } from "./up-output.ts";

/** The demo's main file. Throws START_REFUSED where it is not installed. */
export function demoMainFile(): string {
  try {
    const file = fileURLToPath(import.meta.resolve("@apm-daemon/demo/main"));
    if (existsSync(file)) return file;
  } catch {
    // not among the installed packages
  }
  throw new CliError(
    "START_REFUSED",
    "the demo is not installed or not built: in a checkout run `npm ci` and `npm run build`, or leave --demo out",
  );
}

/** The demo as a process that reports to the daemon whose status socket `statusSocket` tells, once it serves. */
export function keptDemo(
  context: CliContext,
  output: UpOutput,
  options: { mainFile: string; statusSocket: () => string; backoff: BackoffOptions },
): KeptProcess {
  const paint = paintFor(context.stdout, context.env);
  return new KeptProcess({
    mainFile: options.mainFile,
    args: () => [],
    env: () => ({ ...context.env, APM_SOCKET: join(dirname(options.statusSocket()), "agent.sock") }),
    backoff: new Backoff(options.backoff),
    onLine: (line) => output.logLine(readableLogLine("demo", line, paint)),
    onRestart: (reason, delayMs) =>
      output.say(`the demo ${reason}; starting it again in ${delayMs / 1_000} s`),
  });
}
