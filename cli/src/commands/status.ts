import { dirname, join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { folderDistrust, type StatusReport } from "@apm-daemon/protocol";
import type { Command } from "commander";
import type { CliContext } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";
import { type Distrust, fetchStatus } from "../status/status-client.ts";
import { statusText } from "../status/status-text.ts";
import { LiveScreen } from "../terminal/live-screen.ts";
import { paintFor } from "../terminal/paint.ts";
import { stopRequest } from "./stop-request.ts";

interface StatusOptions {
  stateDir?: string;
  json?: boolean;
  watch?: boolean;
}

type AskStatus = () => Promise<StatusReport>;

const WATCH_INTERVAL_MS = 1_000;

export function addStatusCommand(program: Command, context: CliContext): void {
  program
    .command("status")
    .description("what the daemon of this host sees, keeps and sends; exit code 0 when it is well")
    .option("--state-dir <dir>", "state folder of the daemon; default: the daemon's default place")
    .option("--json", "print the daemon's answer as JSON")
    .option("--watch", "print again each second")
    .action(async (options: StatusOptions) => {
      const ask = statusSource(context, options.stateDir);
      if (options.watch) context.finish(await watchStatus(context, ask, options));
      else context.finish(await showStatus(context, ask, options));
    });
}

/** Where a daemon may listen: below the folder that was named, else beside APM_SOCKET, else at the default places. */
export function statusSockets(
  context: Pick<CliContext, "env" | "cwd" | "places">,
  stateDir: string | undefined,
): string[] {
  if (stateDir !== undefined) return [join(resolve(context.cwd, stateDir), "run/status.sock")];
  if (context.env.APM_SOCKET) return [join(dirname(context.env.APM_SOCKET), "status.sock")];
  return context.places.socketDirs.map((dir) => join(dir, "status.sock"));
}

/** Why a socket must not be asked. One that the user named is asked whoever owns its folder. */
export function socketDistrust(
  context: Pick<CliContext, "env" | "places">,
  stateDir: string | undefined,
): Distrust {
  if (stateDir !== undefined || context.env.APM_SOCKET) return () => null;
  const { tmpRunDir, uid } = context.places;
  return (socket) => (dirname(socket) === tmpRunDir ? folderDistrust(tmpRunDir, uid) : null);
}

/** Asks anew at each call. */
function statusSource(context: CliContext, stateDir: string | undefined): AskStatus {
  const sockets = statusSockets(context, stateDir);
  return () => fetchStatus(sockets, socketDistrust(context, stateDir));
}

async function showStatus(context: CliContext, ask: AskStatus, options: StatusOptions): Promise<number> {
  const status = await ask();
  context.stdout.write(`${page(status, context, options)}\n`);
  return exitCodeOf(status);
}

/** Until a signal; the exit code is that of the last answer. */
async function watchStatus(context: CliContext, ask: AskStatus, options: StatusOptions): Promise<number> {
  const stop = new AbortController();
  const screen = new LiveScreen(context.stdout);
  void stopRequest(context, () => screen.close()).then(() => stop.abort());
  let exitCode = 0;
  try {
    while (!stop.signal.aborted) {
      try {
        const status = await ask();
        exitCode = exitCodeOf(status);
        if (options.json) context.stdout.write(`${JSON.stringify(status)}\n`);
        else screen.draw(page(status, context, options));
      } catch (error) {
        if (!(error instanceof CliError)) throw error;
        exitCode = error.exitCode;
        if (options.json) context.stderr.write(`apm: ${error.message}\n`);
        else screen.draw(`${error.message}\ntrying again each second; Ctrl-C ends`);
      }
      await delay(WATCH_INTERVAL_MS, undefined, { signal: stop.signal }).catch(() => {});
    }
  } finally {
    screen.close();
  }
  return exitCode;
}

function page(status: StatusReport, context: CliContext, options: StatusOptions): string {
  if (options.json) return JSON.stringify(status, null, 2);
  return statusText(status, Date.now(), paintFor(context.stdout, context.env));
}

function exitCodeOf(status: StatusReport): number {
  return status.health === "ok" ? 0 : 1;
}
