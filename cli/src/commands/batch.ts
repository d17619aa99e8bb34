import type { Command } from "commander";
import type { ShowOptions } from "../batch/show-batch.ts";
import type { CliContext } from "../cli-context.ts";

export function addBatchCommand(program: Command, context: CliContext): void {
  const batch = program.command("batch").description("batches that the daemon seals");
  batch
    .command("show")
    .description("print what is in a batch file")
    .argument("<file>", "a file of the daemon's outbox")
    .option("--traces", "show each kept trace span by span")
    .option("--json", "print the batch's header as JSON")
    .action(async (file: string, options: ShowOptions) => {
      const { showBatch } = await import("../batch/show-batch.ts");
      await showBatch(context, file, options);
    });
}
