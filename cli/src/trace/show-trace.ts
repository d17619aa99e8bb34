import type { FetchedTraceAnswer } from "@apm-daemon/protocol";
import type { CliContext } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";
import { tokenHeader } from "../collector-token.ts";
import { socketDistrust, statusSockets } from "../status/status-sockets.ts";
import { paintFor } from "../terminal/paint.ts";
import { safeText } from "../terminal/safe-text.ts";
import { fetchTrace, type TraceFinding } from "./fetch-trace.ts";
import { hostLines } from "./host-lines.ts";
import { traceText } from "./trace-text.ts";

export interface TraceOptions {
  collector?: string;
  stateDir?: string;
  json?: boolean;
  local?: boolean;
  tokenFile?: string;
}

const NOT_FOUND_EXIT_CODE = 1;
/** Where there is no terminal whose width counts. */
const PIPE_COLUMNS = 120;

/** Looks a trace up and prints it; the exit code. Throws USAGE, and as fetchTrace() does. */
export async function showTrace(context: CliContext, id: string, options: TraceOptions): Promise<number> {
  const finding = await fetchTrace({
    traceId: traceIdOf(id),
    collectorUrl: collectorUrlOf(options.collector),
    headers: tokenHeader(context, options.tokenFile),
    isLocal: options.local ?? false,
    sockets: statusSockets(context, options.stateDir),
    distrust: socketDistrust(context, options.stateDir),
  });
  return show(context, finding, options.json ?? false);
}

function show(context: CliContext, { answer, source, fallback }: TraceFinding, asJson: boolean): number {
  const { stdout, stderr, env } = context;
  if (fallback !== "") stderr.write(`apm: ${safeText(fallback)}; shown is ${source}\n`);
  const exitCode = isFound(answer) ? 0 : NOT_FOUND_EXIT_CODE;
  if (asJson) {
    stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
    return exitCode;
  }
  const page = {
    columns: stdout.columns ?? PIPE_COLUMNS,
    nowUnixMs: Date.now(),
    paint: paintFor(stdout, env),
  };
  if (isFound(answer)) {
    stdout.write(`${traceText(answer, page)}\n`);
    return exitCode;
  }
  stderr.write(`apm: ${safeText(answer.error.message)}\n`);
  stdout.write(`${hostLines(answer.hosts, page.nowUnixMs, page.paint).join("\n")}\n`);
  return exitCode;
}

function isFound(answer: TraceFinding["answer"]): answer is FetchedTraceAnswer {
  return "spans" in answer;
}

function traceIdOf(text: string): string {
  const id = text.trim().toLowerCase();
  if (/^[0-9a-f]{32}$/.test(id)) return id;
  throw new CliError("USAGE", `${JSON.stringify(text.slice(0, 80))} is no trace id: that has 32 hex digits`);
}

function collectorUrlOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const isUrl = URL.canParse(text) && /^(https?|wss?):$/.test(new URL(text).protocol);
  if (isUrl) return text;
  throw new CliError(
    "USAGE",
    `${JSON.stringify(text.slice(0, 200))} is no collector's address: write it like http://127.0.0.1:8460`,
  );
}
