import type { CliContext } from "../cli-context.ts";
import { safeText } from "../terminal/safe-text.ts";
import { tableLines } from "../terminal/table.ts";
import { configLayout, pathMatches } from "./config-keys.ts";
import { isTable } from "./config-layer.ts";
import { isSecret, withoutSecrets } from "./config-problem.ts";
import type { ProgramName } from "./load-config.ts";
import { loadNamedConfig, programSchema } from "./program-config.ts";

/** Prints every value in effect and where it comes from. */
export async function showConfig(
  context: CliContext,
  name: ProgramName,
  file: string | undefined,
): Promise<void> {
  const { keys } = configLayout(await programSchema(name));
  const loaded = await loadNamedConfig(context, name, file);
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

function leaves(value: unknown, path: readonly string[]): { path: readonly string[]; value: unknown }[] {
  if (!isTable(value)) return value === undefined ? [] : [{ path, value }];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]));
}
