import type { z } from "zod";
import { type ConfigLayout, pathMatches } from "./config-keys.ts";
import { type ConfigTable, isTable, valueAt } from "./config-layer.ts";
import { nearestName } from "./nearest-name.ts";

/** One thing that is wrong with a configuration: where, with which key, and what was expected. */
export interface ConfigProblem {
  /** "/etc/apm-daemon/daemon.toml:3", "env APM_DAEMON_COLLECTOR", "flag --listen". */
  readonly place: string;
  readonly key: string;
  readonly message: string;
}

const MAX_SHOWN_CHARS = 80;

/** The problems behind a schema's issue: one for each unknown key, else one. */
export function problemsOf(
  issue: z.core.$ZodIssue,
  layout: ConfigLayout,
  values: ConfigTable,
  placeOf: (path: readonly string[]) => string,
): ConfigProblem[] {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const unknown = [...path, key];
      return { place: placeOf(unknown), key: unknown.join("."), message: unknownKey(unknown, layout) };
    });
  }
  const found = valueAt(values, path);
  return [{ place: placeOf(path), key: path.join("."), message: wrongValue(issue, path, found, layout) }];
}

/** Whether a key's value must not be shown. */
export function isSecret(key: string): boolean {
  return /(^|_)(key|password|token|secret)$/i.test(key);
}

/** Text without what may be a license key, or the name and password of an address: people put them where they do not belong. */
export function withoutSecrets(text: string): string {
  return text.replace(/apm_[\w-]{32,}/g, "apm_…").replace(/(\w:\/\/)[^/@\s"]+@/g, "$1…@");
}

function unknownKey(path: readonly string[], layout: ConfigLayout): string {
  const paths = [...layout.keys, ...layout.sections].map((entry) => entry.path);
  const name = path.at(-1) ?? "";
  const elsewhere = paths.filter((known) => known.split(".").at(-1) === name);
  if (elsewhere.length > 0) return `unknown key here; did you mean ${elsewhere.join(" or ")}?`;
  const parent = path.slice(0, -1);
  const siblings = paths.filter((known) => pathMatches(known, [...parent, known.split(".").at(-1) ?? ""]));
  const nearest = nearestName(
    name,
    siblings.map((known) => known.split(".").at(-1) ?? ""),
  );
  return nearest ? `unknown key; did you mean ${[...parent, nearest].join(".")}?` : "unknown key; remove it";
}

function wrongValue(
  issue: z.core.$ZodIssue,
  path: readonly string[],
  found: unknown,
  layout: ConfigLayout,
): string {
  const shown = isSecret(path.at(-1) ?? "") ? "something else" : shownValue(found);
  if (issue.code === "custom" || issue.code === "invalid_format") return `${issue.message}, found ${shown}`;
  const key = layout.keys.find((key) => pathMatches(key.path, path));
  if (found === undefined && key) return `is required: ${key.expected}`;
  return `expected ${key ? key.expected : "a table of keys"}, found ${shown}`;
}

function shownValue(value: unknown): string {
  if (isTable(value)) return "a table";
  const text = withoutSecrets(JSON.stringify(value) ?? String(value));
  return text.length > MAX_SHOWN_CHARS ? `${text.slice(0, MAX_SHOWN_CHARS)}…` : text;
}
