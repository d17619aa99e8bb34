import type { Command } from "commander";
import type { CliContext } from "../cli-context.ts";
import type { PasswordOptions } from "../password/set-password.ts";

export function addPasswordCommand(program: Command, context: CliContext): void {
  program
    .command("password")
    .description("set the password of the console: asked twice, or the first line of standard input")
    .option("--state-dir <dir>", "state folder of the collector; default: the collector's default place")
    .option("--remove", "have none: on this machine alone everybody gets in, from elsewhere nobody")
    .action(async (options: PasswordOptions) => {
      const { setPassword } = await import("../password/set-password.ts");
      await setPassword(context, options);
    });
}
