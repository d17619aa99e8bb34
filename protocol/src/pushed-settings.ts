import type { AgentSettings } from "./control.ts";
import { MAX_NAME_CHARS } from "./limits.ts";

/**
 * Settings that are made in the console and hold on every host above what its daemon.toml says. What is not there is not set.
 * A statement's mode can only be made stricter than the host's own: see stricterSql.
 */
export interface AppSettings {
  /** Apdex threshold T, ms. */
  apdexTMs?: number;
  /** Requests that take that long are kept as slow. */
  slowActionMs?: number;
}

/** Of all apps; what is said of a single one goes before it. */
export interface GeneralSettings extends AppSettings {
  /** Calls to databases that take that long are told one by one. */
  slowStatementMs?: number;
  sql?: PushedSqlMode;
}

/** Values themselves cannot be asked for from afar. */
export type PushedSqlMode = Exclude<AgentSettings["sql"], "raw">;

export interface SettingsSet {
  /** Short text that is another for another set; "" for the empty one. */
  revision: string;
  all: GeneralSettings;
  apps: { app: string; settings: AppSettings }[];
}

export const MAX_SETTING_MS = 600_000;
export const MAX_APPS_WITH_SETTINGS = 1_000;
/** From what tells most to what tells least. */
export const SQL_MODES: readonly AgentSettings["sql"][] = ["raw", "obfuscated", "local", "off"];
export const NO_SETTINGS: SettingsSet = { revision: "", all: {}, apps: [] };

/** The one of two modes that lets less leave the host: who reaches the collector must not be able to read more. */
export function stricterSql(own: AgentSettings["sql"], asked: AgentSettings["sql"]): AgentSettings["sql"] {
  return SQL_MODES.indexOf(asked) > SQL_MODES.indexOf(own) ? asked : own;
}

/** Reads a set as it came or was kept; null when any of it is no setting. Fields of later releases are left out. */
export function parseSettings(value: unknown): SettingsSet | null {
  const { revision, all, apps } = (value ?? {}) as Partial<Record<keyof SettingsSet, unknown>>;
  if (typeof revision !== "string" || !/^[\w-]{0,64}$/.test(revision)) return null;
  if (!Array.isArray(apps) || apps.length > MAX_APPS_WITH_SETTINGS) return null;
  const general = readGeneral(all);
  if (general === null) return null;
  const read: SettingsSet["apps"] = [];
  for (const entry of apps as unknown[]) {
    const { app, settings } = (entry ?? {}) as Record<string, unknown>;
    const own = readApp(settings);
    if (typeof app !== "string" || app === "" || app.length > MAX_NAME_CHARS || own === null) return null;
    read.push({ app, settings: own });
  }
  return { revision, all: general, apps: read };
}

function readGeneral(value: unknown): GeneralSettings | null {
  const own = readApp(value);
  const { slowStatementMs, sql } = (value ?? {}) as Record<string, unknown>;
  const isMode = sql === undefined || sql === "obfuscated" || sql === "local" || sql === "off";
  if (own === null || !isMs(slowStatementMs) || !isMode) return null;
  return {
    ...own,
    ...(slowStatementMs !== undefined && { slowStatementMs }),
    ...(sql !== undefined && { sql }),
  };
}

function readApp(value: unknown): AppSettings | null {
  if (typeof value !== "object" || value === null) return null;
  const { apdexTMs, slowActionMs } = value as Record<string, unknown>;
  if (!isMs(apdexTMs) || !isMs(slowActionMs)) return null;
  return {
    ...(apdexTMs !== undefined && { apdexTMs }),
    ...(slowActionMs !== undefined && { slowActionMs }),
  };
}

function isMs(value: unknown): value is number | undefined {
  if (value === undefined) return true;
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_SETTING_MS;
}
