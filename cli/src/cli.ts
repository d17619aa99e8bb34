import { Command, CommanderError } from "commander";
import type { CliContext } from "./cli-context.ts";
import { CliError } from "./cli-error.ts";
import { addAuditCommand } from "./commands/audit.ts";
import { addBatchCommand } from "./commands/batch.ts";
import { addCollectorCommand } from "./commands/collector.ts";
import { addConfigCommand } from "./commands/config.ts";
import { addDaemonCommand } from "./commands/daemon.ts";
import { addDoctorCommand } from "./commands/doctor.ts";
import { addKeyCommand } from "./commands/key.ts";
import { addRunCommand } from "./commands/run.ts";
import { addStatusCommand } from "./commands/status.ts";
import { addTraceCommand } from "./commands/trace.ts";
import { addUpCommand } from "./commands/up.ts";

const USAGE_EXIT_CODE = 2;

/** Runs one command line; its outcome goes to `context.finish`. Rejects only on bugs. */
export async function runCli(args: readonly string[], context: CliContext): Promise<void> {
  try {
    await apmProgram(context).parseAsync(args, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) {
      context.finish(error.exitCode === 0 ? 0 : USAGE_EXIT_CODE);
    } else if (error instanceof CliError) {
      context.stderr.write(`apm: ${error.message}\n`);
      context.finish(error.exitCode);
    } else {
      throw error;
    }
  }
}

function apmProgram(context: CliContext): Command {
  const program = new Command("apm")
    .description("Application performance monitoring with the machinery in your own hands.")
    .version(context.version)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text.replace(/^error: /, "apm: ")),
    });
  addUpCommand(program, context);
  addRunCommand(program, context);
  addStatusCommand(program, context);
  addTraceCommand(program, context);
  addAuditCommand(program, context);
  addDoctorCommand(program, context);
  addDaemonCommand(program, context);
  addCollectorCommand(program, context);
  addKeyCommand(program, context);
  addConfigCommand(program, context);
  addBatchCommand(program, context);
  return program;
}
