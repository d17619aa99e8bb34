import type { Command } from "commander";
import type { CliContext } from "../cli-context.ts";
import type { DoctorOptions } from "../doctor/examined.ts";

export function addDoctorCommand(program: Command, context: CliContext): void {
  program
    .command("doctor")
    .description("look for what is wrong on this host, and say what to do; exit code 0 when nothing failed")
    .option("--state-dir <dir>", "state folder of the daemon; default: the daemon's default place")
    .option("--config <file>", "configuration file of the daemon")
    .option("--collector <url>", "collector to try; default: the one that the daemon reports to")
    .option("--app-dir <dir>", "folder of an app, to see which of its libraries are recorded")
    .option("--json", "print the findings as JSON")
    .action(async (options: DoctorOptions & { json?: boolean }) => {
      const { diagnose } = await import("../doctor/diagnose.ts");
      context.finish(await diagnose(context, options));
    });
}
