import { readFile } from "node:fs/promises";
import { parse, TomlError } from "smol-toml";
import type { z } from "zod";
import { CliError } from "../cli-error.ts";
import { type ConfigKey, configLayout } from "./config-keys.ts";
import {
  type ConfigLayer,
  type ConfigTable,
  envLayer,
  envName,
  fileLayer,
  fixedLayer,
  flagLayer,
  isTable,
  mergedLayers,
  valueAt,
} from "./config-layer.ts";
import { type ConfigProblem, problemsOf } from "./config-problem.ts";
import { nearestName } from "./nearest-name.ts";

export type ProgramName = "daemon" | "collector";

/** A file that the user named must be there; one at its default place may be absent. */
export interface ConfigFile {
  path: string;
  isRequired: boolean;
}

export interface ConfigRequest<T> {
  program: ProgramName;
  schema: z.ZodType<T>;
  file: ConfigFile;
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  /** Values of the command line, by dotted path. */
  flags: Readonly<Record<string, { flag: string; value: string }>>;
  /** Defaults that depend on the user, by dotted path. */
  defaults: Readonly<Record<string, string>>;
}

export interface LoadedConfig<T> {
  /** Validated and deeply frozen. */
  config: Readonly<T>;
  /** The file that was read, or null where there was none. */
  file: string | null;
  /** Where the value at a path comes from: "default", "FILE:LINE", "env NAME", "flag --name". */
  sourceOf(path: readonly string[]): string;
  /** What is strange but does not prevent a start, a sentence each. */
  warnings: string[];
}

/** All that is wrong with a configuration, at once: one line each. */
export class ConfigError extends CliError {
  readonly problems: readonly ConfigProblem[];

  constructor(program: ProgramName, problems: readonly ConfigProblem[]) {
    const lines = problems.map(({ place, key, message }) =>
      [place, key, message].filter((part) => part !== "").join(": "),
    );
    const heading = `${lines.length} settings of the ${program} are wrong:`;
    super("CONFIG_INVALID", lines.length === 1 ? (lines[0] ?? "") : [heading, ...lines].join("\n  "));
    this.name = "ConfigError";
    this.problems = problems;
  }
}

const ENV_ALIASES: Readonly<Record<string, string>> = { license_key_file: "APM_LICENSE_KEY_FILE" };

/** Defaults, then the file, then the environment, then the command line. Throws ConfigError or FILE_UNREADABLE. */
export async function loadConfig<T>(request: ConfigRequest<T>): Promise<LoadedConfig<T>> {
  const { program, schema, env, cwd } = request;
  const layout = configLayout(schema);
  const text = await readConfigFile(request.file);
  const layers: ConfigLayer[] = [
    fixedLayer(request.defaults, "default"),
    fileLayer(parseToml(program, text ?? "", request.file.path), text ?? "", request.file.path),
    envLayer(program, layout.keys, env, ENV_ALIASES, cwd),
    flagLayer(layout.keys, request.flags, cwd),
  ];
  const sourceOf = (path: readonly string[]): string =>
    layers.findLast((layer) => valueAt(layer.values, path) !== undefined)?.sourceOf(path) ?? "default";
  const values = mergedLayers(layers);
  const result = schema.safeParse(values);
  if (!result.success) {
    const problems = result.error.issues.flatMap((issue) => problemsOf(issue, layout, values, sourceOf));
    throw new ConfigError(program, firstOfEachKey(problems));
  }
  return {
    config: deepFrozen(result.data),
    file: text === null ? null : request.file.path,
    sourceOf,
    warnings: unknownVariables(program, layout.keys, env),
  };
}

/** A value of a wrong shape often breaks later rules too; the first says it. */
function firstOfEachKey(problems: readonly ConfigProblem[]): ConfigProblem[] {
  return problems.filter((problem, i) => problems.findIndex(({ key }) => key === problem.key) === i);
}

async function readConfigFile(file: ConfigFile): Promise<string | null> {
  try {
    return await readFile(file.path, "utf8");
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? "";
    if (code === "ENOENT" && !file.isRequired) return null;
    throw new CliError("FILE_UNREADABLE", unreadable(file.path, code), { cause });
  }
}

function unreadable(path: string, code: string): string {
  if (code === "ENOENT") return `there is no configuration file ${path}; make one with "apm config init"`;
  if (code === "EISDIR") return `${path} is a folder; name the configuration file in it`;
  if (code === "EACCES") return `${path} must not be read by this user; change its mode or its owner`;
  return `${path} cannot be read (${code})`;
}

function parseToml(program: ProgramName, text: string, file: string): ConfigTable {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const reason = (error.message.split("\n")[0] ?? "").replace(/^Invalid TOML document: /, "");
    const place = `${file}:${error.line}:${error.column}`;
    throw new ConfigError(program, [{ place, key: "", message: `this is not TOML: ${reason}` }]);
  }
}

/**
 * Variables that look like ours but are no key. They are not errors, because a service manager may set such names for
 * its own purposes (Kubernetes sets APM_DAEMON_PORT for a service called apm-daemon).
 */
function unknownVariables(
  program: ProgramName,
  keys: readonly ConfigKey[],
  env: Readonly<Record<string, string | undefined>>,
): string[] {
  const known = keys.map((key) => envName(program, key.path)).filter((name) => name !== null);
  const prefix = `APM_${program.toUpperCase()}_`;
  const unknown = Object.keys(env).filter((name) => name.startsWith(prefix) && !known.includes(name));
  return unknown.map((name) => {
    const nearest = nearestName(
      name.slice(prefix.length),
      known.map((name) => name.slice(prefix.length)),
    );
    return `environment variable ${name} is no setting${nearest ? `; did you mean ${prefix}${nearest}?` : ""}`;
  });
}

function deepFrozen<T>(value: T): T {
  if (isTable(value) || Array.isArray(value)) {
    for (const inner of Object.values(value)) deepFrozen(inner);
    Object.freeze(value);
  }
  return value;
}
