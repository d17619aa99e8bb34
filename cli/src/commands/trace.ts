import type { FetchedTraceAnswer } from "@apm-daemon/protocol";
import type { Command } from "commander";
import type { CliContext } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";
import { paintFor } from "../terminal/paint.ts";
import { safeText } from "../terminal/safe-text.ts";
import { fetchTrace, type TraceFinding } from "../trace/fetch-trace.ts";
import { hostLines } from "../trace/host-lines.ts";
import { traceText } from "../trace/trace-text.ts";
import { socketDistrust, statusSockets } from "./status.ts";

interface TraceOptions {
  collector?: string;
  stateDir?: string;
  json?: boolean;
  local?: boolean;
}

const NOT_FOUND_EXIT_CODE = 1;
/** Where there is no terminal whose width counts. */
const PIPE_COLUMNS = 120;

export function addTraceCommand(program: Command, context: CliContext): void {
  program
    .command("trace")
    .description(
      "look up a request in the journals of all hosts, kept or not: its waterfall, and the hosts that could not answer",
    )
    .argument("<id>", "trace id, 32 hex digits")
    .option(
      "--collector <url>",
      "the collector that asks the hosts; default: the one that the daemon reports to",
    )
    .option("--state-dir <dir>", "state folder of the daemon; default: the daemon's default place")
    .option("--local", "ask the daemon of this host alone")
    .option("--json", "print the answer as JSON")
    .action(async (id: string, options: TraceOptions) => {
      const finding = await fetchTrace({
        traceId: traceIdOf(id),
        collectorUrl: collectorUrlOf(options.collector),
        isLocal: options.local ?? false,
        sockets: statusSockets(context, options.stateDir),
        distrust: socketDistrust(context, options.stateDir),
      });
      context.finish(show(context, finding, options.json ?? false));
    });
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
