import type { StatusReport } from "@apm-daemon/protocol";
import type { CliContext } from "../cli-context.ts";
import { paintFor } from "../terminal/paint.ts";
import { fetchStatus } from "./status-client.ts";
import { socketDistrust, statusSockets } from "./status-sockets.ts";
import { statusText } from "./status-text.ts";

export interface StatusOptions {
  stateDir?: string;
  json?: boolean;
  watch?: boolean;
}

/** Prints the daemon's status, once or until a signal; the exit code. */
export async function runStatus(context: CliContext, options: StatusOptions): Promise<number> {
  const sockets = statusSockets(context, options.stateDir);
  const ask = (): Promise<StatusReport> => fetchStatus(sockets, socketDistrust(context, options.stateDir));
  if (options.watch) {
    const { watchStatus } = await import("./watch-status.ts");
    return await watchStatus(context, {
      ask,
      page: (status) => page(status, context, options),
      exitCodeOf,
      json: options.json ?? false,
    });
  }
  const status = await ask();
  context.stdout.write(`${page(status, context, options)}\n`);
  return exitCodeOf(status);
}

function page(status: StatusReport, context: CliContext, options: StatusOptions): string {
  if (options.json) return JSON.stringify(status, null, 2);
  return statusText(status, Date.now(), paintFor(context.stdout, context.env));
}

function exitCodeOf(status: StatusReport): number {
  return status.health === "ok" ? 0 : 1;
}
