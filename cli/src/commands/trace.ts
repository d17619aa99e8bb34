import type { Command } from "commander";
import type { CliContext } from "../cli-context.ts";
import type { TraceOptions } from "../trace/show-trace.ts";

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
    .option("--token-file <file>", "file with an API token of the collector; default: APM_TOKEN_FILE")
    .option("--state-dir <dir>", "state folder of the daemon; default: the daemon's default place")
    .option("--local", "ask the daemon of this host alone")
    .option("--json", "print the answer as JSON")
    .action(async (id: string, options: TraceOptions) => {
      const { showTrace } = await import("../trace/show-trace.ts");
      context.finish(await showTrace(context, id, options));
    });
}
