import type { TopReport } from "@apm-daemon/protocol";
import type { CliContext } from "../cli-context.ts";
import { socketDistrust, statusSockets } from "../status/status-sockets.ts";
import { paintFor } from "../terminal/paint.ts";
import { fetchTop } from "./top-client.ts";
import { topPage } from "./top-page.ts";
import { FIRST_VIEW } from "./top-view.ts";

export interface TopOptions {
  stateDir?: string;
  once?: boolean;
  json?: boolean;
}

/** Where there is no terminal whose width counts. */
const PIPE_COLUMNS = 120;

/** Shows the host, its apps and processes, once or until the user has seen enough; the exit code. Throws as fetchTop() does. */
export async function runTop(context: CliContext, options: TopOptions): Promise<number> {
  const sockets = statusSockets(context, options.stateDir);
  const distrust = socketDistrust(context, options.stateDir);
  const ask = (): Promise<TopReport> => fetchTop(sockets, distrust);
  const first = await ask();
  if (!options.once) {
    const { watchTop } = await import("./watch-top.ts");
    return await watchTop(context, { first, ask, json: options.json ?? false });
  }
  context.stdout.write(`${options.json ? JSON.stringify(first, null, 2) : wholePage(context, first)}\n`);
  return 0;
}

function wholePage({ stdout, env }: CliContext, report: TopReport): string {
  return topPage({
    report,
    view: FIRST_VIEW,
    columns: stdout.columns ?? PIPE_COLUMNS,
    rows: Number.POSITIVE_INFINITY,
    paint: paintFor(stdout, env),
    hasKeys: false,
    trouble: "",
  });
}
