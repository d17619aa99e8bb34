import { Command, CommanderError } from "commander";
import type { CliContext } from "./cli-context.ts";
import { CliError } from "./cli-error.ts";

const USAGE_EXIT_CODE = 2;

type AddCommand = (program: Command, context: CliContext) => void;

/** In the order of the help. A command's file is only read when it is called, or when all are listed: reading files is most of a short run. */
const COMMANDS: Readonly<Record<string, () => Promise<AddCommand>>> = {
  up: async () => (await import("./commands/up.ts")).addUpCommand,
  run: async () => (await import("./commands/run.ts")).addRunCommand,
  status: async () => (await import("./commands/status.ts")).addStatusCommand,
  top: async () => (await import("./commands/top.ts")).addTopCommand,
  slow: async () => (await import("./commands/slow.ts")).addSlowCommand,
  trace: async () => (await import("./commands/trace.ts")).addTraceCommand,
  audit: async () => (await import("./commands/audit.ts")).addAuditCommand,
  doctor: async () => (await import("./commands/doctor.ts")).addDoctorCommand,
  daemon: async () => (await import("./commands/daemon.ts")).addDaemonCommand,
  collector: async () => (await import("./commands/collector.ts")).addCollectorCommand,
  key: async () => (await import("./commands/key.ts")).addKeyCommand,
  token: async () => (await import("./commands/key.ts")).addTokenCommand,
  password: async () => (await import("./commands/password.ts")).addPasswordCommand,
  service: async () => (await import("./commands/service.ts")).addServiceCommand,
  config: async () => (await import("./commands/config.ts")).addConfigCommand,
  batch: async () => (await import("./commands/batch.ts")).addBatchCommand,
};

/** Runs one command line; its outcome goes to `context.finish`. Rejects only on bugs. */
export async function runCli(args: readonly string[], context: CliContext): Promise<void> {
  try {
    const program = apmProgram(context);
    for (const add of await Promise.all(commandsToLoad(args).map((load) => load()))) add(program, context);
    await program.parseAsync(args, { from: "user" });
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

/** The command that is called, alone; all of them for the help and for what is no command. */
function commandsToLoad([name = "", ...others]: readonly string[]): (() => Promise<AddCommand>)[] {
  if (others.length === 0 && (name === "--version" || name === "-V")) return [];
  const called = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  return called === undefined ? Object.values(COMMANDS) : [called];
}

function apmProgram(context: CliContext): Command {
  return new Command("apm")
    .description("Application performance monitoring with the machinery in your own hands.")
    .version(context.version)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text.replace(/^error: /, "apm: ")),
    });
}
