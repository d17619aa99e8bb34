import type { Command } from "commander";
import type { CliContext } from "../cli-context.ts";
import type { StatusOptions } from "../status/run-status.ts";

export function addStatusCommand(program: Command, context: CliContext): void {
  program
    .command("status")
    .description("what the daemon of this host sees, keeps and sends; exit code 0 when it is well")
    .option("--state-dir <dir>", "state folder of the daemon; default: the daemon's default place")
    .option("--json", "print the daemon's answer as JSON")
    .option("--watch", "print again each second")
    .action(async (options: StatusOptions) => {
      const { runStatus } = await import("../status/run-status.ts");
      context.finish(await runStatus(context, options));
    });
}
