import { Argument, type Command } from "commander";
import type { CliContext } from "../cli-context.ts";
import type { ProgramName } from "../config/load-config.ts";

export function addServiceCommand(program: Command, context: CliContext): void {
  const service = program
    .command("service")
    .description("run daemon or collector under systemd, without a package");
  const which = (): Argument =>
    new Argument("[program]", "what is to run").choices(["daemon", "collector"]).default("daemon");
  service
    .command("install")
    .description("write the units with this very apm in them, enable and start them; again after an update")
    .addArgument(which())
    .option("--dry-run", "print the files and do nothing")
    .action(async (name: ProgramName, { dryRun }: { dryRun?: boolean }) => {
      const { installService, printServiceFiles } = await import("../service/install-service.ts");
      if (dryRun === true) printServiceFiles(context, name);
      else installService(context, name);
      context.finish(0);
    });
  service
    .command("uninstall")
    .description("stop it and remove the units; configuration and state stay")
    .addArgument(which())
    .action(async (name: ProgramName) => {
      const { uninstallService } = await import("../service/install-service.ts");
      uninstallService(context, name);
      context.finish(0);
    });
}
