import { Argument, type Command } from "commander";
import type { CliContext } from "../cli-context.ts";
import type { ProgramName } from "../config/load-config.ts";

interface FileOptions {
  file?: string;
}

export function addConfigCommand(program: Command, context: CliContext): void {
  const config = program.command("config").description("configuration files of daemon and collector");
  const which = (): Argument =>
    new Argument("[program]", "whose configuration").choices(["daemon", "collector"]).default("daemon");
  const file = [
    "--file <file>",
    "the file; default: APM_CONFIG_FILE, else the one at its default place",
  ] as const;
  config
    .command("init")
    .description("write a commented file with every key at its default")
    .addArgument(which())
    .option(...file)
    .action(async (name: ProgramName, options: FileOptions) => {
      const { initConfig } = await import("../config/init-config.ts");
      await initConfig(context, name, options.file);
    });
  config
    .command("check")
    .description('print "success", or all that is wrong')
    .addArgument(which())
    .option(...file)
    .action(async (name: ProgramName, options: FileOptions) => {
      const { checkConfig } = await import("../config/check-config.ts");
      await checkConfig(context, name, options.file);
    });
  config
    .command("show")
    .description("print every value in effect and where it comes from")
    .addArgument(which())
    .option(...file)
    .action(async (name: ProgramName, options: FileOptions) => {
      const { showConfig } = await import("../config/show-config.ts");
      await showConfig(context, name, options.file);
    });
}
