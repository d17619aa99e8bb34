import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseSettings, type SettingsSet, SQL_MODES } from "@apm-daemon/protocol";

/** A value that was set in the console and goes before the host's own. */
export interface ConsoleValue {
  path: readonly string[];
  value: unknown;
}

/** Values from the console that the daemon of this state folder remembers; a reason where they may not be read. */
export function consoleValues(
  stateDir: string,
  own: { settings: { sql: string; from_collector: boolean }; apps: Readonly<Record<string, object>> },
): { file: string; values: ConsoleValue[]; problem: string } {
  const file = join(stateDir, "collector-settings.json");
  if (!own.settings.from_collector) return { file, values: [], problem: "" };
  let set: SettingsSet | null;
  try {
    set = parseSettings(JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const problem =
      code === "ENOENT"
        ? ""
        : `what was set in the console is not shown: ${file} cannot be read (${code ?? "damaged"})`;
    return { file, values: [], problem };
  }
  if (set === null) return { file, values: [], problem: `${file} holds no settings` };
  const { all, apps } = set;
  const isStricter =
    SQL_MODES.findIndex((mode) => mode === all.sql) >
    SQL_MODES.findIndex((mode) => mode === own.settings.sql);
  const values: ConsoleValue[] = [
    { path: ["apdex_t_ms"], value: all.apdexTMs },
    { path: ["traces", "slow_action_ms"], value: all.slowActionMs },
    { path: ["settings", "slow_statement_ms"], value: all.slowStatementMs },
    { path: ["settings", "sql"], value: isStricter ? all.sql : undefined },
    ...apps.flatMap(({ app, settings }) => [
      { path: ["apps", app, "apdex_t_ms"], value: settings.apdexTMs },
      { path: ["apps", app, "slow_action_ms"], value: settings.slowActionMs },
    ]),
  ];
  return { file, values: values.filter(({ value }) => value !== undefined), problem: "" };
}
