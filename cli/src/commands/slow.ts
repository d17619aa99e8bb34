import type { Command } from "commander";
import type { CliContext } from "../cli-context.ts";
import type { SlowOptions } from "../slow/run-slow.ts";

export function addSlowCommand(program: Command, context: CliContext): void {
  program
    .command("slow")
    .description(
      "what took the time in the last minutes: actions, statements, slow and failed requests; no collector is needed",
    )
    .argument("[app]", "one app alone; default: all of this host")
    .option("--minutes <n>", "how far back, 1 to 60", "10")
    .option("--state-dir <dir>", "state folder of the daemon; default: the daemon's default place")
    .option("--json", "print the daemon's answer as JSON")
    .action(async (app: string | undefined, options: SlowOptions) => {
      const { runSlow } = await import("../slow/run-slow.ts");
      context.finish(await runSlow(context, app, options));
    });
}
