import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { Argument, type Command } from "commander";
import type { CliContext } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";
import { configLayout, pathMatches } from "../config/config-keys.ts";
import { isTable } from "../config/config-layer.ts";
import { isSecret, withoutSecrets } from "../config/config-problem.ts";
import { configTemplate } from "../config/config-template.ts";
import type { LoadedConfig, ProgramName } from "../config/load-config.ts";
import { configFile, loadProgramConfig, placeDefaults, programSchema } from "../config/program-config.ts";
import { safeText } from "../terminal/safe-text.ts";
import { tableLines } from "../terminal/table.ts";

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
    .action((name: ProgramName, options: FileOptions) => initConfig(context, name, options.file));
  config
    .command("check")
    .description('print "success", or all that is wrong')
    .addArgument(which())
    .option(...file)
    .action((name: ProgramName, options: FileOptions) => checkConfig(context, name, options.file));
  config
    .command("show")
    .description("print every value in effect and where it comes from")
    .addArgument(which())
    .option(...file)
    .action((name: ProgramName, options: FileOptions) => showConfig(context, name, options.file));
}

async function initConfig(context: CliContext, name: ProgramName, named: string | undefined): Promise<void> {
  const layout = configLayout(await programSchema(name));
  const text = configTemplate(name, layout, placeDefaults(name, context.places));
  const { path } = configFile(name, named, context);
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text, { flag: "wx" });
  } catch (cause) {
    throw notWritten(path, cause as NodeJS.ErrnoException);
  }
  context.stdout.write(`wrote ${path}\n`);
}

function notWritten(path: string, cause: NodeJS.ErrnoException): CliError {
  if (cause.code === "EEXIST") {
    return new CliError(
      "FILE_EXISTS",
      `${path} exists and is left as it is; name another place with --file`,
      { cause },
    );
  }
  return new CliError(
    "FILE_UNREADABLE",
    `${path} cannot be written (${cause.code}); name another place with --file`,
    {
      cause,
    },
  );
}

async function checkConfig(context: CliContext, name: ProgramName, file: string | undefined): Promise<void> {
  const loaded = await load(context, name, file);
  for (const warning of loaded.warnings) context.stderr.write(`apm: ${warning}\n`);
  if (loaded.file === null) {
    const { path } = configFile(name, file, context);
    context.stderr.write(`apm: there is no ${path}: all is at its default or from the environment\n`);
  }
  context.stdout.write("success\n");
}

async function showConfig(context: CliContext, name: ProgramName, file: string | undefined): Promise<void> {
  const { keys } = configLayout(await programSchema(name));
  const loaded = await load(context, name, file);
  const given = leaves(loaded.config, []);
  const unset = keys.filter(
    (key) => !key.path.includes("<name>") && !given.some(({ path }) => pathMatches(key.path, path)),
  );
  const rows = [
    ...given.map(({ path, value }) => [
      safeText(path.join(".")),
      isSecret(path.at(-1) ?? "") ? "(hidden)" : safeText(withoutSecrets(JSON.stringify(value))),
      safeText(loaded.sourceOf(path)),
    ]),
    ...unset.map((key) => [key.path, "(not set)", "default"]),
  ];
  const titles = ["key", "value", "source"].map((title) => ({ title, align: "left" as const }));
  context.stdout.write(`${tableLines(titles, rows).join("\n")}\n`);
}

async function load(
  context: CliContext,
  name: ProgramName,
  file: string | undefined,
): Promise<LoadedConfig<unknown>> {
  return loadProgramConfig(
    context,
    name,
    await programSchema(name),
    file === undefined ? {} : { config: file },
  );
}

function leaves(value: unknown, path: readonly string[]): { path: readonly string[]; value: unknown }[] {
  if (!isTable(value)) return value === undefined ? [] : [{ path, value }];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]));
}
