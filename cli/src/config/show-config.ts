import type { DaemonConfig } from "@apm-daemon/daemon";
import type { CliContext } from "../cli-context.ts";
import { safeText } from "../terminal/safe-text.ts";
import { tableLines } from "../terminal/table.ts";
import { configLayout, pathMatches } from "./config-keys.ts";
import { isTable } from "./config-layer.ts";
import { isSecret, withoutSecrets } from "./config-problem.ts";
import { consoleValues } from "./console-settings.ts";
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
  const fromConsole =
    name === "daemon"
      ? consoleValues((loaded.config as DaemonConfig).state_dir, loaded.config as DaemonConfig)
      : null;
  if (fromConsole !== null && fromConsole.problem !== "")
    context.stderr.write(`apm: ${safeText(fromConsole.problem)}\n`);
  const overruled = fromConsole?.values ?? [];
  const isOverruled = (path: readonly string[]): boolean =>
    overruled.some((value) => value.path.join("\0") === path.join("\0"));
  const own = leaves(loaded.config, []).filter(({ path }) => !isOverruled(path));
  const given = [...own, ...overruled];
  const unset = keys.filter(
    (key) => !key.path.includes("<name>") && !given.some(({ path }) => pathMatches(key.path, path)),
  );
  const rows = [
    ...given.map(({ path, value }) => [
      safeText(path.join(".")),
      isSecret(path.at(-1) ?? "") ? "(hidden)" : safeText(withoutSecrets(JSON.stringify(value))),
      safeText(isOverruled(path) ? `console (${fromConsole?.file})` : loaded.sourceOf(path)),
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
