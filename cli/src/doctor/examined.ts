import { existsSync } from "node:fs";
import { join } from "node:path";
import type { DaemonConfig } from "@apm-daemon/daemon";
import type { StatusReport } from "@apm-daemon/protocol";
import type { CliContext } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";
import { defaultPlaces } from "../config/default-places.ts";
import type { LoadedConfig } from "../config/load-config.ts";
import { loadDaemonConfig } from "../config/program-config.ts";
import { fetchStatus } from "../status/status-client.ts";
import { askCollector, type CollectorAnswers } from "./collector-answers.ts";

export interface DoctorOptions {
  config?: string;
  stateDir?: string;
  collector?: string;
  appDir?: string;
}

/** What all checks look at; read once. */
export interface Examined {
  readonly context: CliContext;
  readonly appDir: string;
  readonly appDirIsNamed: boolean;
  /** The configuration, or what is wrong with it; then the other checks go by the defaults. */
  readonly loaded: LoadedConfig<DaemonConfig> | CliError;
  readonly config: Readonly<DaemonConfig>;
  readonly stateDir: string;
  readonly agentSocket: string;
  readonly statusSocket: string;
  /** Whether the daemon is that of the system: `systemctl` starts it. */
  readonly isSystemService: boolean;
  /** What the daemon says, or why it does not. */
  readonly status: StatusReport | CliError;
  /** Null where this user can neither ask the daemon nor read its configuration. */
  readonly collectorUrl: string | null;
  readonly licenseKeyFile: string | null;
  readonly collector: CollectorAnswers | null;
}

const UNIT_FILES = ["/etc/systemd/system/apm-daemon.service", "/usr/lib/systemd/system/apm-daemon.service"];

/** Looks at everything once: files, then the daemon, then the collector that it reports to. */
export async function examine(context: CliContext, options: DoctorOptions): Promise<Examined> {
  const where = contextOfDaemon(context, options);
  const { loaded, config } = await loadOrDefaults(where, options);
  const statusSocket = join(config.run_dir, "status.sock");
  const status = await orError(fetchStatus([statusSocket]));
  const isAnswering = !(status instanceof CliError);
  const files = isAnswering ? status.files : undefined;
  const stateDir = files?.stateDir ?? config.state_dir;
  const collectorUrl = options.collector ?? (isAnswering ? status.uplink.url : urlOf(loaded, config, status));
  const upKey = join(stateDir, "up.key");
  const licenseKeyFile =
    files?.licenseKeyFile ?? config.license_key_file ?? (existsSync(upKey) ? upKey : null);
  return {
    context: where,
    appDir: options.appDir ?? context.cwd,
    appDirIsNamed: options.appDir !== undefined,
    loaded,
    config,
    stateDir,
    agentSocket: isAnswering ? status.agentSocket : join(config.run_dir, "agent.sock"),
    statusSocket,
    isSystemService: where.places.uid === 0 && UNIT_FILES.some((file) => existsSync(file)),
    status,
    collectorUrl,
    licenseKeyFile,
    collector: collectorUrl === null ? null : await askCollector(collectorUrl, licenseKeyFile),
  };
}

/**
 * The places of the daemon that is meant: this user's own, or those of the system where this user has neither a daemon
 * nor a configuration.
 */
function contextOfDaemon(context: CliContext, options: DoctorOptions): CliContext {
  const { places } = context;
  const isNamed = options.config ?? options.stateDir ?? context.env.APM_CONFIG_FILE;
  if (isNamed !== undefined || places.uid === 0) return context;
  const system = defaultPlaces({ env: {}, uid: 0, homeDir: "/", tmpDir: "/tmp" });
  const isThere = (candidate: typeof places): boolean =>
    existsSync(join(candidate.runDir, "status.sock")) || existsSync(join(candidate.configDir, "daemon.toml"));
  return isThere(places) || !isThere(system) ? context : { ...context, places: system };
}

async function loadOrDefaults(
  context: CliContext,
  options: DoctorOptions,
): Promise<{ loaded: Examined["loaded"]; config: Readonly<DaemonConfig> }> {
  const named = {
    ...(options.config === undefined ? {} : { config: options.config }),
    ...(options.stateDir === undefined ? {} : { stateDir: options.stateDir }),
  };
  const loaded = await orError(loadDaemonConfig(context, named));
  if (!(loaded instanceof CliError)) return { loaded, config: loaded.config };
  const { env: _env, ...rest } = context;
  const { config } = await loadDaemonConfig({ ...rest, env: {} }, { ...named, config: "/dev/null" });
  return { loaded, config };
}

/** The daemon may have been told by its command line: a default is no answer where one is there but must not be asked. */
function urlOf(loaded: Examined["loaded"], config: Readonly<DaemonConfig>, status: CliError): string | null {
  const isGuess = loaded instanceof CliError || loaded.sourceOf(["collector"]) === "default";
  return isGuess && status.code === "NO_ANSWER" ? null : config.collector;
}

async function orError<T>(attempt: Promise<T>): Promise<T | CliError> {
  try {
    return await attempt;
  } catch (error) {
    if (error instanceof CliError) return error;
    throw error;
  }
}
