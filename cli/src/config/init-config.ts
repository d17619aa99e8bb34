import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { CliContext } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";
import { configLayout } from "./config-keys.ts";
import { configTemplate } from "./config-template.ts";
import type { ProgramName } from "./load-config.ts";
import { configFile, placeDefaults, programSchema } from "./program-config.ts";

/** Writes a commented file with every key at its default. Throws FILE_EXISTS or FILE_UNREADABLE. */
export async function initConfig(
  context: CliContext,
  name: ProgramName,
  named: string | undefined,
): Promise<void> {
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
