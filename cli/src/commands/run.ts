import { spawn } from "node:child_process";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import type { CliContext } from "../cli-context.ts";
import { signalExitCode } from "./stop-request.ts";

interface RunOptions {
  name?: string;
  stateDir?: string;
}

export function addRunCommand(program: Command, context: CliContext): void {
  program
    .command("run")
    .description("run a command with the agent in each Node.js process that it starts")
    .usage("[--name APP] COMMAND [ARGUMENTS…]")
    .option(
      "--name <app>",
      "name of the app in the console; default: APM_APP_NAME, else that of its package.json",
    )
    .option(
      "--state-dir <dir>",
      "state folder of the daemon to report to; default: the daemon's default place",
    )
    .argument("<command...>", "the command and its arguments, passed on as they are")
    .passThroughOptions()
    .action(async ([command = "", ...args]: string[], options: RunOptions) => {
      const env = agentEnv(context, options, import.meta.resolve("@apm-daemon/agent/register"));
      context.finish(await runCommand(command, args, env, context));
    });
}

/** The environment that loads the agent, whose module has the address `registerUrl`, into Node.js processes. */
export function agentEnv(
  context: Pick<CliContext, "env" | "cwd">,
  options: RunOptions,
  registerUrl: string,
): Record<string, string | undefined> {
  const load = `--import ${registerUrl}`;
  const given = context.env.NODE_OPTIONS ?? "";
  const env: Record<string, string | undefined> = {
    ...context.env,
    NODE_OPTIONS: given.includes(load) ? given : `${load} ${given}`.trim(),
  };
  if (options.name) env.APM_APP_NAME = options.name;
  if (options.stateDir) env.APM_SOCKET = join(resolve(context.cwd, options.stateDir), "run/agent.sock");
  return env;
}

const FORWARDED = [
  "SIGINT",
  "SIGQUIT",
  "SIGTERM",
  "SIGHUP",
  "SIGUSR1",
  "SIGUSR2",
  "SIGWINCH",
  "SIGCONT",
] as const;
/** A terminal sends these to the command as well as to us: it must not get them twice. */
const SENT_BY_TERMINAL: readonly string[] = ["SIGINT", "SIGQUIT", "SIGWINCH"];
const NOT_FOUND_EXIT_CODE = 127;
const NOT_EXECUTABLE_EXIT_CODE = 126;

/** Runs a command with our own stdio, passes signals on; its exit code, or 128 + the signal that ended it. */
function runCommand(
  command: string,
  args: readonly string[],
  env: Record<string, string | undefined>,
  context: CliContext,
): Promise<number> {
  return new Promise((resolve) => {
    // Listening begins before the command exists: a signal in between would end us and leave the command alone.
    for (const signal of FORWARDED) {
      context.signals.on(signal, () => {
        if (!(context.hasTerminal && SENT_BY_TERMINAL.includes(signal))) child.kill(signal);
      });
    }
    const child = spawn(command, args, { stdio: "inherit", env, cwd: context.cwd });
    child.once("error", (error: NodeJS.ErrnoException) => {
      context.stderr.write(`apm: ${cannotRun(command, error)}\n`);
      resolve(error.code === "ENOENT" ? NOT_FOUND_EXIT_CODE : NOT_EXECUTABLE_EXIT_CODE);
    });
    child.once("exit", (code, signal) => resolve(signal ? signalExitCode(signal) : (code ?? 1)));
  });
}

function cannotRun(command: string, error: NodeJS.ErrnoException): string {
  if (error.code === "ENOENT") return `the command "${command}" was not found; check its name and the PATH`;
  if (error.code === "EACCES") return `"${command}" must not be executed; check its mode (chmod +x)`;
  return `"${command}" cannot be started: ${error.message}`;
}
