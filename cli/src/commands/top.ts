import type { Command } from "commander";
import type { CliContext } from "../cli-context.ts";
import type { TopOptions } from "../top/run-top.ts";

export function addTopCommand(program: Command, context: CliContext): void {
  program
    .command("top")
    .description("host, apps and processes of this machine now, each second; no collector is needed")
    .option("--state-dir <dir>", "state folder of the daemon; default: the daemon's default place")
    .option("--once", "print one page and end")
    .option("--json", "print the daemon's answers as JSON")
    .action(async (options: TopOptions) => {
      const { runTop } = await import("../top/run-top.ts");
      context.finish(await runTop(context, options));
    });
}
