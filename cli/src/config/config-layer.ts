import { dirname, resolve } from "node:path";
import type { ConfigKey } from "./config-keys.ts";
import { tomlLineOf } from "./toml-lines.ts";

/** A table of a configuration: nested tables and values, as TOML parses it. */
export interface ConfigTable {
  [key: string]: unknown;
}

/** Values from one source; `sourceOf` names the place of one of them for messages and `apm config show`. */
export interface ConfigLayer {
  readonly values: ConfigTable;
  sourceOf(path: readonly string[]): string;
}

/** Values given in code, by dotted path, with the name of their source. */
export function fixedLayer(values: Readonly<Record<string, unknown>>, source: string): ConfigLayer {
  return { values: nested(Object.entries(values)), sourceOf: () => source };
}

/** What a parsed file says. Relative files and folders are relative to the file's folder. */
export function fileLayer(parsed: ConfigTable, text: string, file: string): ConfigLayer {
  return {
    values: withAbsolutePaths(parsed, dirname(file)),
    sourceOf: (path) => {
      const line = tomlLineOf(text, path);
      return line === null ? file : `${file}:${line}`;
    },
  };
}

/** Name of the environment variable of a key: `APM_DAEMON_JOURNAL_CAP_BYTES`; null where the user names a part of the key. */
export function envName(program: string, path: string): string | null {
  if (path.includes("<name>")) return null;
  return `APM_${program}_${path.replaceAll(".", "_")}`.toUpperCase();
}

/** What the environment says, under each key's own name or its alias. Relative files and folders are relative to `cwd`. */
export function envLayer(
  program: string,
  keys: readonly ConfigKey[],
  env: Readonly<Record<string, string | undefined>>,
  aliases: Readonly<Record<string, string>>,
  cwd: string,
): ConfigLayer {
  const names = new Map<string, string>();
  const values: [string, unknown][] = [];
  for (const key of keys) {
    const name = [envName(program, key.path), aliases[key.path]].find((name) => name && env[name]);
    if (!name) continue;
    names.set(key.path, name);
    values.push([key.path, fromText(key, env[name] ?? "")]);
  }
  return {
    values: withAbsolutePaths(nested(values), cwd),
    sourceOf: (path) => `env ${names.get(path.join(".")) ?? ""}`,
  };
}

/** What the command line says, by dotted path; `flag` is the option's name for messages. */
export function flagLayer(
  keys: readonly ConfigKey[],
  flags: Readonly<Record<string, { flag: string; value: string }>>,
  cwd: string,
): ConfigLayer {
  const values = Object.entries(flags).map(([path, { value }]): [string, unknown] => {
    const key = keys.find((key) => key.path === path);
    return [path, key ? fromText(key, value) : value];
  });
  return {
    values: withAbsolutePaths(nested(values), cwd),
    sourceOf: (path) => `flag ${flags[path.join(".")]?.flag ?? ""}`,
  };
}

/** Later layers win, key by key. */
export function mergedLayers(layers: readonly ConfigLayer[]): ConfigTable {
  return layers.reduce((sum, layer) => mergedTables(sum, layer.values), emptyTable());
}

export function isTable(value: unknown): value is ConfigTable {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** The value at a path, or undefined. */
export function valueAt(table: unknown, path: readonly string[]): unknown {
  let value = table;
  for (const part of path) value = isTable(value) && Object.hasOwn(value, part) ? value[part] : undefined;
  return value;
}

function mergedTables(base: ConfigTable, over: ConfigTable): ConfigTable {
  const merged = Object.assign(emptyTable(), base);
  for (const [key, value] of Object.entries(over)) {
    const before = merged[key];
    merged[key] = isTable(value) ? mergedTables(isTable(before) ? before : emptyTable(), value) : value;
  }
  return merged;
}

/** Without a prototype, so that a key named "__proto__" is a key like any other. */
function emptyTable(): ConfigTable {
  return Object.create(null) as ConfigTable;
}

function nested(entries: readonly (readonly [string, unknown])[]): ConfigTable {
  const table = emptyTable();
  for (const [path, value] of entries) {
    const parts = path.split(".");
    const last = parts.pop() ?? "";
    let inner = table;
    for (const part of parts) {
      const known = inner[part];
      const next = isTable(known) ? known : emptyTable();
      inner[part] = next;
      inner = next;
    }
    inner[last] = value;
  }
  return table;
}

/** Text of the environment or of an option as the key's kind of value; what does not fit stays text, for the schema to refuse. */
function fromText(key: ConfigKey, text: string): unknown {
  if (key.kind === "boolean") return text === "true" ? true : text === "false" ? false : text;
  if (key.kind === "integer" || key.kind === "number")
    return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
  return key.kind === "list" ? text.split(",").map((part) => part.trim()) : text;
}

function withAbsolutePaths(table: ConfigTable, base: string): ConfigTable {
  const result = emptyTable();
  for (const [key, value] of Object.entries(table)) {
    const isPath = /_(dir|file)$/.test(key) && typeof value === "string" && value !== "";
    result[key] = isTable(value) ? withAbsolutePaths(value, base) : isPath ? resolve(base, value) : value;
  }
  return result;
}
