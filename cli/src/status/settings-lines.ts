import type { AppSettings, GeneralSettings, StatusReport } from "@apm-daemon/protocol";
import type { Paint } from "../terminal/paint.ts";
import { shownMs } from "../terminal/quantities.ts";
import { safeText } from "../terminal/safe-text.ts";

const MAX_APPS_SHOWN = 10;

/** What holds here because it was set in the console; nothing when nothing was. */
export function settingsLines({ settings }: StatusReport, paint: Paint): string[] {
  if (settings === undefined) return [];
  const { fromCollector, isTaken, sql } = settings;
  const apps = fromCollector.apps.map(({ app, settings: own }) => `${safeText(app)}: ${valuesText(own)}`);
  const general = valuesText(fromCollector.all);
  if (!isTaken || (apps.length === 0 && general === "")) return [];
  const more = apps.length - MAX_APPS_SHOWN;
  const asked = fromCollector.all.sql;
  return [
    `${paint("bold", "Settings")} ${paint("dim", "from the console, above this host's own; those of one app first")}`,
    ...(general === "" ? [] : [`  all apps: ${general}`]),
    ...(asked !== undefined && asked !== sql
      ? [`  SQL stays ${sql}: this host's own settings.sql lets less leave it than the console's ${asked}`]
      : []),
    ...apps.slice(0, MAX_APPS_SHOWN).map((line) => `  ${line}`),
    ...(more > 0 ? [`  and ${more} more apps; apm status --json has all`] : []),
    "",
  ];
}

function valuesText(values: GeneralSettings | AppSettings): string {
  const { apdexTMs, slowActionMs, slowStatementMs, sql } = values as GeneralSettings;
  return [
    apdexTMs === undefined ? "" : `Apdex T ${shownMs(apdexTMs)}`,
    slowActionMs === undefined ? "" : `slow from ${shownMs(slowActionMs)}`,
    slowStatementMs === undefined ? "" : `slow statements from ${shownMs(slowStatementMs)}`,
    sql === undefined ? "" : `SQL ${sql}`,
  ]
    .filter((text) => text !== "")
    .join(", ");
}
