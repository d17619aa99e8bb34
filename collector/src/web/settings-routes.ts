import {
  type AppSettings,
  type GeneralSettings,
  MAX_NAME_CHARS,
  MAX_SETTING_MS,
  type PushedSqlMode,
} from "@apm-daemon/protocol";
import { Hono } from "hono";
import * as z from "zod";
import { CollectorError } from "../collector-error.ts";
import type { ConnectedDaemon } from "../ingest/connected-daemon.ts";
import type { KeyStore } from "../key-store.ts";
import { agentVersions } from "../query/agent-versions.ts";
import { appsCompleteness } from "../query/apps-completeness.ts";
import type { SettingsStore } from "../settings/settings-store.ts";
import type { Store } from "../store/store.ts";
import { BadBody, readBody } from "./json-body.ts";
import { readRange } from "./parameters.ts";

export interface SettingsRoutesOptions {
  store: Store;
  keys: KeyStore;
  settings: SettingsStore;
  daemons: () => ConnectedDaemon[];
  /** As configured, for people to read. */
  retention: object;
  clock: () => number;
}

const RANGE = `must be a whole number of 1 to ${MAX_SETTING_MS} milliseconds`;
const ms = z.int(RANGE).min(1, RANGE).max(MAX_SETTING_MS, RANGE).optional();
const SQL = ["obfuscated", "local", "off"] as const satisfies readonly PushedSqlMode[];
const APP_FIELDS = { apdexTMs: ms, slowActionMs: ms };
const AppSettingsSchema = z.strictObject(APP_FIELDS);
const GeneralSettingsSchema = z.strictObject({
  ...APP_FIELDS,
  slowStatementMs: ms,
  sql: z.enum(SQL, `must be one of ${SQL.join(", ")}`).optional(),
});
const NAME = `must be text of 1 to ${MAX_NAME_CHARS} characters`;
const NewKeySchema = z.strictObject({ name: z.string(NAME).min(1, NAME).max(MAX_NAME_CHARS, NAME) });

/** The calls of the settings page: keys, settings of the apps, who is connected. */
export function settingsRoutes(options: SettingsRoutesOptions): Hono {
  const { store, keys, settings, daemons, retention, clock } = options;
  const routes = new Hono();

  routes.get("/keys", (c) => c.json({ keys: keys.list() }));
  routes.post("/keys", async (c) => {
    const { name } = await readBody(c, NewKeySchema);
    return c.json(
      refusing(() => keys.create(name)),
      201,
    );
  });
  routes.delete("/keys/:id", (c) => {
    const { id } = c.req.param();
    // By its id alone: a name may be taken anew between two looks at the page.
    if (!keys.list().some((key) => key.id === id))
      throw new BadBody(404, "KEY_UNKNOWN", `there is no key with the id ${JSON.stringify(id.slice(0, 80))}`);
    return c.json(refusing(() => keys.revoke(id)));
  });

  routes.get("/settings", (c) => c.json({ ...settings.current, retention }));
  routes.put("/settings/all", async (c) => {
    const wanted = await readBody(c, GeneralSettingsSchema);
    return c.json(refusing(() => settings.setAll(withoutUndefined<GeneralSettings>(wanted))));
  });
  routes.put("/settings/apps/:app", async (c) => {
    const wanted = await readBody(c, AppSettingsSchema);
    const { app } = c.req.param();
    if (app.length > MAX_NAME_CHARS)
      throw new BadBody(400, "BAD_PARAMETER", `an app's name has at most ${MAX_NAME_CHARS} characters`);
    return c.json(refusing(() => settings.setApp(app, withoutUndefined<AppSettings>(wanted))));
  });
  routes.delete("/settings/apps/:app", (c) => c.json(refusing(() => settings.setApp(c.req.param().app, {}))));

  routes.get("/fleet", async (c) => {
    const range = readRange(c.req.query(), clock(), store);
    const connected = daemons();
    return c.json({ daemons: connected, ...(await agentVersions(store, range)) });
  });
  routes.get("/completeness", async (c) =>
    c.json(await appsCompleteness(store, readRange(c.req.query(), clock(), store))),
  );
  return routes;
}

/** What the stores refuse is the sender's to change; what they cannot write is this machine's. */
function refusing<T>(change: () => T): T {
  try {
    return change();
  } catch (error) {
    if (!(error instanceof CollectorError)) throw error;
    const { code, message } = error;
    if (code === "KEY_NAME_INVALID") throw new BadBody(400, code, message);
    if (/_TAKEN$|_TOO_MANY$|_BUSY$/.test(code)) throw new BadBody(409, code, message);
    if (code === "KEY_UNKNOWN") throw new BadBody(404, code, message);
    throw new BadBody(503, code, message);
  }
}

function withoutUndefined<T extends object>(value: { [Key in keyof T]?: T[Key] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T;
}
