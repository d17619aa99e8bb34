import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { redactTitle } from "./redact-title.ts";

const MAX_COMMAND_CHARS = 128;
/** So much of it is looked through for secrets. */
const MAX_TITLE_CHARS = 1_024;
/** Programs whose first argument says what they really are. */
const INTERPRETER =
  /^(node|nodejs|deno|bun|python[\d.]*|ruby[\d.]*|perl[\d.]*|php[\d.]*|bash|sh|dash|zsh|tsx|ts-node)$/;
/** Options of these that are followed by a value which is not the script. */
const OPTION_WITH_VALUE = new Set([
  "-r",
  "--require",
  "--import",
  "--loader",
  "-C",
  "--conditions",
  "--env-file",
  "-W",
  "-X",
]);
/** What follows is code, not a file: possibly long, possibly secret. */
const CODE_OPTION = new Set(["-c", "-e", "-p", "--eval", "--print", "-m"]);

/**
 * A short name of a process: its program, and the script if it is an interpreter ("node server.js"); "[name]" for kernel
 * threads. Never all arguments: they hold passwords on too many hosts, and this name leaves the host.
 */
export function readProcessCommand(procRoot: string, pid: number, fallbackName: string): string {
  let argv: string[];
  try {
    argv = readFileSync(`${procRoot}/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return fallbackName;
  }
  const program = programName(argv[0] ?? "");
  if (program === "") return `[${fallbackName}]`;
  const script = INTERPRETER.test(program) ? scriptName(argv.slice(1)) : "";
  return redactTitle(`${program} ${script}`.trim().slice(0, MAX_TITLE_CHARS)).slice(0, MAX_COMMAND_CHARS);
}

/** "/usr/bin/node" -> "node"; a title such as "nginx: master process /usr/sbin/nginx" stays as it is. */
function programName(argv0: string): string {
  const title = argv0.trim();
  return title.startsWith("/") && !title.includes(" ") ? basename(title) : title;
}

function scriptName(args: readonly string[]): string {
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (CODE_OPTION.has(arg)) return "";
    if (OPTION_WITH_VALUE.has(arg)) i++;
    else if (arg !== "" && !arg.startsWith("-")) return basename(arg);
  }
  return "";
}
