import { setTimeout as delay } from "node:timers/promises";
import type { StatusReport } from "@apm-daemon/protocol";
import type { CliContext } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";
import { stopRequest } from "../commands/stop-request.ts";
import { LiveScreen } from "../terminal/live-screen.ts";

export interface WatchedStatus {
  ask: () => Promise<StatusReport>;
  page: (status: StatusReport) => string;
  exitCodeOf: (status: StatusReport) => number;
  /** A line of JSON each second instead of a page. */
  json: boolean;
}

const WATCH_INTERVAL_MS = 1_000;

/** Until a signal; the exit code is that of the last answer. */
export async function watchStatus(context: CliContext, watched: WatchedStatus): Promise<number> {
  const { ask, page, exitCodeOf, json } = watched;
  const stop = new AbortController();
  const screen = new LiveScreen(context.stdout);
  void stopRequest(context, () => screen.close()).then(() => stop.abort());
  let exitCode = 0;
  try {
    while (!stop.signal.aborted) {
      try {
        const status = await ask();
        exitCode = exitCodeOf(status);
        if (json) context.stdout.write(`${JSON.stringify(status)}\n`);
        else screen.draw(page(status));
      } catch (error) {
        if (!(error instanceof CliError)) throw error;
        exitCode = error.exitCode;
        if (json) context.stderr.write(`apm: ${error.message}\n`);
        else screen.draw(`${error.message}\ntrying again each second; Ctrl-C ends`);
      }
      await delay(WATCH_INTERVAL_MS, undefined, { signal: stop.signal }).catch(() => {});
    }
  } finally {
    screen.close();
  }
  return exitCode;
}
