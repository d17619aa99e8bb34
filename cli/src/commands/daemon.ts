import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import type { PassedSockets, RunningDaemon, ServiceOptions } from "@apm-daemon/daemon";
import type { Command } from "commander";
import type { CliContext } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";
import { preparePrivateFolder } from "../config/private-folder.ts";
import type { ProgramOptions } from "../config/program-config.ts";
import { SERVICE_STOP_SIGNALS } from "./stop-request.ts";

/** Usually half a second, and 2 s more where the collector is slow to take what is left; promised are 5 s. */
const STOP_WITHIN_MS = 4_500;

/**
 * What a daemon keeps is 25 MB; what it throws away V8 would let grow to 100 MB more on a machine with much memory, before it
 * looks. See docs/decisions/0014.
 */
const COLLECT_GARBAGE_SOON = "--heap-growing-percent=50";

export function addDaemonCommand(program: Command, context: CliContext): void {
  program
    .command("daemon")
    .description("watch this host and its applications, report to a collector")
    .option("--config <file>", "configuration file")
    .option("--state-dir <dir>", "folder for everything the daemon keeps, sockets included")
    .option("--collector <url>", "address of the collector, ws://HOST:PORT or wss://HOST:PORT")
    .option("--license-key-file <file>", "file with the license key")
    .action(async (options: ProgramOptions) => {
      context.finish(await runDaemon(context, options));
    });
}

async function runDaemon(context: CliContext, options: ProgramOptions): Promise<number> {
  setFlagsFromString(COLLECT_GARBAGE_SOON);
  const [{ loadDaemonConfig }, { servePart }, { partLog }, { startDaemon }] = await Promise.all([
    import("../config/program-config.ts"),
    import("./serve-part.ts"),
    import("../supervise/part-log.ts"),
    import("@apm-daemon/daemon"),
  ]);
  const loaded = await loadDaemonConfig(context, options);
  const { config, warnings } = loaded;
  const log = partLog("daemon", config.log.level, context);
  for (const warning of warnings) log.warn(warning);
  const { tmpRunDir, uid } = context.places;
  const { version, env } = context;
  const service = serviceOf(env, process.pid);
  let daemon: RunningDaemon | null = null;
  const refuse = (why: Error): void =>
    log.error(`the configuration is not reloaded, the one before stays in force: ${why.message}`);
  const reload = async (): Promise<void> => {
    const next = await loadDaemonConfig(context, options).catch(refuse);
    if (!next || daemon === null) return;
    for (const warning of next.warnings) log.warn(warning);
    const problem = await daemon.reload(next.config).catch((error: Error) => {
      log.fatal(`neither the new configuration nor the one before can be started with: ${error.message}`);
      context.exitAtOnce(1);
    });
    if (problem) return refuse(problem);
    log.level = next.config.log.level;
    log.info("the configuration was read again and is in force");
  };
  if (service !== null) context.signals.on("SIGHUP", () => void reload());
  return servePart(
    context,
    async () => {
      if (config.run_dir === tmpRunDir && loaded.sourceOf(["run_dir"]) === "default")
        preparePrivateFolder(tmpRunDir, uid);
      const sockets = passedSockets(env, process.pid);
      daemon = await startDaemon({ config, version, log, service, sockets });
      return {
        address: join(config.run_dir, "status.sock"),
        stop: async () => daemon?.stop(),
        stopWithinMs: STOP_WITHIN_MS,
      };
    },
    // Who closes the terminal of a daemon that runs in it wants it to end.
    service === null ? undefined : SERVICE_STOP_SIGNALS,
  );
}

/** Descriptors that are passed begin here: SD_LISTEN_FDS_START. */
const FIRST_PASSED_FD = 3;
const PASSED = ["agent", "status"] as const;

/** The sockets that systemd listens on, in the order of ListenStream= in apm-daemon.socket; see sd_listen_fds(3). Throws START_REFUSED. */
export function passedSockets(env: CliContext["env"], pid: number): PassedSockets {
  if (env.LISTEN_PID !== String(pid)) return {};
  const count = Number(env.LISTEN_FDS);
  if (!Number.isInteger(count) || count < 1 || count > PASSED.length)
    throw new CliError(
      "START_REFUSED",
      `systemd passed ${env.LISTEN_FDS} sockets, the daemon takes ${PASSED.length}: set ListenStream= in apm-daemon.socket once for agent.sock and then for status.sock`,
    );
  return Object.fromEntries(PASSED.slice(0, count).map((name, i) => [name, FIRST_PASSED_FD + i]));
}

/** systemd's variables, see sd_notify(3) and sd_watchdog_enabled(3); null where it did not start this process. */
export function serviceOf(env: CliContext["env"], pid: number): ServiceOptions | null {
  if (!env.NOTIFY_SOCKET) return null;
  const watchdogMs = Number(env.WATCHDOG_USEC) / 1_000;
  const isMeant = (env.WATCHDOG_PID ?? String(pid)) === String(pid);
  return {
    notifySocket: env.NOTIFY_SOCKET,
    watchdogMs: isMeant && watchdogMs > 0 ? watchdogMs : null,
    searchPath: env.PATH ?? "/usr/bin:/bin",
  };
}
