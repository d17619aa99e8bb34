import type { Command } from "commander";
import type { CliContext } from "../cli-context.ts";
import type { UpOptions } from "../supervise/run-up.ts";

export function addUpCommand(program: Command, context: CliContext): void {
  program
    .command("up")
    .description("run a collector and a daemon that report to each other on this machine")
    .option("--state-dir <dir>", "folder for everything that is kept, sockets included")
    .option("--listen <host:port>", "address of the console; default 127.0.0.1:8460")
    .option("--demo", "also run an example shop with invented visitors, as apps demo-shop and demo-payments")
    .action(async (options: UpOptions) => {
      const { runUp } = await import("../supervise/run-up.ts");
      context.finish(await runUp(context, options));
    });
}
