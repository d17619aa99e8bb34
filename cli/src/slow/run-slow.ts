import type { CliContext } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";
import { socketDistrust, statusSockets } from "../status/status-sockets.ts";
import { paintFor } from "../terminal/paint.ts";
import { fetchRecent } from "./slow-client.ts";
import { slowText } from "./slow-text.ts";

export interface SlowOptions {
  minutes: string;
  stateDir?: string;
  json?: boolean;
}

/** Where there is no terminal whose width counts. */
const PIPE_COLUMNS = 120;
/** What a daemon remembers. */
const MAX_MINUTES = 60;

/** Prints what took the time in the last minutes; the exit code. Throws USAGE, and as fetchRecent() does. */
export async function runSlow(
  context: CliContext,
  app: string | undefined,
  options: SlowOptions,
): Promise<number> {
  const { stdout, env } = context;
  const minutes = minutesOf(options.minutes);
  const sockets = statusSockets(context, options.stateDir);
  const report = await fetchRecent(sockets, socketDistrust(context, options.stateDir), { minutes, app });
  const page = {
    columns: stdout.columns ?? PIPE_COLUMNS,
    app,
    paint: paintFor(stdout, env),
  };
  stdout.write(`${options.json ? JSON.stringify(report, null, 2) : slowText(report, page)}\n`);
  return 0;
}

function minutesOf(text: string): number {
  const minutes = Number(text);
  if (/^\d+$/.test(text) && minutes >= 1 && minutes <= MAX_MINUTES) return minutes;
  throw new CliError(
    "USAGE",
    `--minutes must be a whole number from 1 to ${MAX_MINUTES}, not ${JSON.stringify(text.slice(0, 80))}`,
  );
}
