import { join, resolve } from "node:path";
import type { CollectorConfig } from "@apm-daemon/collector";
import type { DaemonConfig } from "@apm-daemon/daemon";
import type { z } from "zod";
import type { CliContext } from "../cli-context.ts";
import type { DefaultPlaces } from "./default-places.ts";
import { type ConfigFile, type LoadedConfig, loadConfig, type ProgramName } from "./load-config.ts";

/** Options of the command line that are configuration as well. */
export interface ProgramOptions {
  config?: string;
  stateDir?: string;
  listen?: string;
  collector?: string;
  licenseKeyFile?: string;
}

const FLAGS: Readonly<Record<Exclude<keyof ProgramOptions, "config">, { path: string; flag: string }>> = {
  stateDir: { path: "state_dir", flag: "--state-dir" },
  listen: { path: "listen", flag: "--listen" },
  collector: { path: "collector", flag: "--collector" },
  licenseKeyFile: { path: "license_key_file", flag: "--license-key-file" },
};

/** The daemon's configuration as it is in effect. */
export async function loadDaemonConfig(
  context: CliContext,
  options: ProgramOptions,
): Promise<LoadedConfig<DaemonConfig>> {
  const { DaemonConfigSchema } = await import("@apm-daemon/daemon");
  return loadProgramConfig(context, "daemon", DaemonConfigSchema, options);
}

/** The collector's configuration as it is in effect. */
export async function loadCollectorConfig(
  context: CliContext,
  options: ProgramOptions,
): Promise<LoadedConfig<CollectorConfig>> {
  const { CollectorConfigSchema } = await import("@apm-daemon/collector");
  return loadProgramConfig(context, "collector", CollectorConfigSchema, options);
}

/** The schema of a program, without starting anything. */
export async function programSchema(program: ProgramName): Promise<z.ZodType> {
  if (program === "daemon") return (await import("@apm-daemon/daemon")).DaemonConfigSchema;
  return (await import("@apm-daemon/collector")).CollectorConfigSchema;
}

/** The file named by the option or by APM_CONFIG_FILE, else the one at its default place. */
export function configFile(
  program: ProgramName,
  named: string | undefined,
  context: Pick<CliContext, "env" | "cwd" | "places">,
): ConfigFile {
  const path = named ?? context.env.APM_CONFIG_FILE;
  if (path) return { path: resolve(context.cwd, path), isRequired: true };
  return { path: join(context.places.configDir, `${program}.toml`), isRequired: false };
}

/** Defaults that depend on the user, as they appear in templates and reference pages. */
export function placeDefaults(program: ProgramName, places: DefaultPlaces): Record<string, string> {
  if (program === "collector") return { state_dir: places.collectorStateDir };
  return { state_dir: places.daemonStateDir, run_dir: places.runDir };
}

/** Any program's configuration as it is in effect; see loadConfig. */
export async function loadProgramConfig<T>(
  context: CliContext,
  program: ProgramName,
  schema: z.ZodType<T>,
  options: ProgramOptions,
): Promise<LoadedConfig<T>> {
  const { env, cwd, places } = context;
  const flags: Record<string, { flag: string; value: string }> = {};
  for (const [name, { path, flag }] of Object.entries(FLAGS)) {
    const value = options[name as keyof ProgramOptions];
    if (value !== undefined) flags[path] = { flag, value };
  }
  const stateDir = flags.state_dir?.value;
  if (program === "daemon" && stateDir !== undefined) {
    flags.run_dir = { flag: "--state-dir", value: join(stateDir, "run") };
  }
  const file = configFile(program, options.config, context);
  return loadConfig({ program, schema, file, env, cwd, flags, defaults: placeDefaults(program, places) });
}

/** The configuration of the program that is named, from `file` where one is. */
export async function loadNamedConfig(
  context: CliContext,
  name: ProgramName,
  file: string | undefined,
): Promise<LoadedConfig<unknown>> {
  return loadProgramConfig(
    context,
    name,
    await programSchema(name),
    file === undefined ? {} : { config: file },
  );
}
