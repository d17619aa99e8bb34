import type { Command } from "commander";
import type { AuditOptions } from "../audit/run-audit.ts";
import type { CliContext } from "../cli-context.ts";

export function addAuditCommand(program: Command, context: CliContext): void {
  program
    .command("audit")
    .description(
      "add up what became of every span, from the apps to the store; exit code 0 when nothing is missing",
    )
    .option("--state-dir <dir>", "state folder of the daemon; default: the daemon's default place")
    .option("--config <file>", "configuration file of the daemon")
    .option("--collector <url>", "address of the collector; default: where the daemon reports to")
    .option(
      "--token-file <file>",
      "file with an API token of the collector; default: APM_TOKEN_FILE, else the daemon's license key",
    )
    .option("--from <time>", "only batches sealed since then, such as 2026-11-25T08:00 or Unix milliseconds")
    .option("--to <time>", "only batches sealed before then; default: now, with what is on its way")
    .option("--json", "print the result as JSON")
    .action(async (options: AuditOptions) => {
      const { runAudit } = await import("../audit/run-audit.ts");
      context.finish(await runAudit(context, options));
    });
}
