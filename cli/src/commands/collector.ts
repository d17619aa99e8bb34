import type { Command } from "commander";
import type { CliContext } from "../cli-context.ts";
import type { ProgramOptions } from "../config/program-config.ts";

export function addCollectorCommand(program: Command, context: CliContext): void {
  program
    .command("collector")
    .description("take in what daemons report, store it, serve the console")
    .option("--config <file>", "configuration file")
    .option("--state-dir <dir>", "folder for everything the collector keeps")
    .option("--listen <host:port>", "address of console, API and uplink")
    .action(async (options: ProgramOptions) => {
      context.finish(await runCollector(context, options));
    });
}

async function runCollector(context: CliContext, options: ProgramOptions): Promise<number> {
  const [{ loadCollectorConfig }, { servePart }, { partLog }, { startCollector }] = await Promise.all([
    import("../config/program-config.ts"),
    import("./serve-part.ts"),
    import("../supervise/part-log.ts"),
    import("@apm-daemon/collector"),
  ]);
  const { config, warnings } = await loadCollectorConfig(context, options);
  const log = partLog("collector", config.log.level, context);
  for (const warning of warnings) log.warn(warning);
  return servePart(context, async () => {
    const { version, consoleDir } = context;
    const collector = await startCollector({ config, consoleDir, version, log });
    return { address: collector.url, stop: () => collector.stop() };
  });
}
