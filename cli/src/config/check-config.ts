import type { CliContext } from "../cli-context.ts";
import type { ProgramName } from "./load-config.ts";
import { configFile, loadNamedConfig } from "./program-config.ts";

/** Prints "success" and what is strange. Throws CONFIG_INVALID with all that is wrong. */
export async function checkConfig(
  context: CliContext,
  name: ProgramName,
  file: string | undefined,
): Promise<void> {
  const loaded = await loadNamedConfig(context, name, file);
  for (const warning of loaded.warnings) context.stderr.write(`apm: ${warning}\n`);
  if (loaded.file === null) {
    const { path } = configFile(name, file, context);
    context.stderr.write(`apm: there is no ${path}: all is at its default or from the environment\n`);
  }
  context.stdout.write("success\n");
}
