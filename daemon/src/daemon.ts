/** The composition root: the parts, in the order in which the data flows; each group is made in its own file of parts/. */
import { join } from "node:path";
import type { Logger } from "pino";
import type { DaemonConfig } from "./config.ts";
import { localTrace } from "./flight-recorder/local-trace.ts";
import { watchHost } from "./host-watch.ts";
import { filesLeftBy } from "./intake/connection-room.ts";
import type { PassedSockets } from "./intake/passed-socket.ts";
import { claimRunDir } from "./intake/run-dir-claim.ts";
import { createAgents } from "./parts/agents.ts";
import { createContext, type DaemonContext } from "./parts/context.ts";
import { countWhatIsLeft, createCounting } from "./parts/counting.ts";
import { scheduleSelfReport } from "./parts/self-report.ts";
import { createSending } from "./parts/sending.ts";
import { openStorage } from "./parts/storage.ts";
import { SealBeat } from "./seal-beat.ts";
import { claimStateDir } from "./state-lock.ts";
import { ledgerReport } from "./status/ledger-report.ts";
import { StatusReporter } from "./status/status-reporter.ts";
import { StatusServer } from "./status/status-server.ts";
import { topReport } from "./status/top-report.ts";
import type { StopStack } from "./stop-stack.ts";
import { readLicenseKey } from "./uplink/license-key.ts";
import { Progress } from "./watchdog/progress.ts";
import { ServiceManager, type ServiceOptions } from "./watchdog/service-manager.ts";

export interface DaemonOptions {
  config: DaemonConfig;
  version: string;
  log: Logger;
  /** The service manager that wants to know how the daemon is; null where there is none. */
  service?: ServiceOptions | null;
  /** Sockets that the service manager has made; the daemon makes those that are missing. */
  sockets?: PassedSockets;
}

export interface RunningDaemon {
  /** Stops taking spans, seals, sends what the collector takes within 2 s, ends. What is left waits in the outbox. */
  stop(): Promise<void>;
  /**
   * Goes on with another configuration in all its parts, as after a restart: what is acknowledged is in the journal, apps wait or come
   * again. Resolves to null, or to why it could not and went on with the one before; rejects, stopped, when that is not possible either.
   */
  reload(config: DaemonConfig): Promise<Error | null>;
}

const UPLOAD_AT_STOP_MS = 2_000;
const DEFAULT_SOCKET_MODE = "0660";

/** Starts the daemon; rejects with DaemonError when it cannot work with its folders, sockets or key. */
export async function startDaemon({
  service = null,
  sockets = {},
  config: firstConfig,
  ...options
}: DaemonOptions): Promise<RunningDaemon> {
  const manager = await ServiceManager.open(service, options.log);
  const start = async (config: DaemonConfig): Promise<StopStack> => {
    const context = createContext({ ...options, config, sockets });
    const { stops } = context;
    try {
      await startParts(context, manager);
    } catch (error) {
      await stops.stopAll();
      throw error;
    }
    return stops;
  };
  let config = firstConfig;
  let running = await start(config);
  const replace = async (next: DaemonConfig): Promise<Error | null> => {
    manager?.reloading();
    await running.stopAll();
    try {
      running = await start(next);
      config = next;
      return null;
    } catch (error) {
      running = await start(config);
      return error as Error;
    }
  };
  let turn: Promise<unknown> = Promise.resolve();
  const next = <T>(run: () => Promise<T>): Promise<T> => {
    const result = turn.then(run);
    turn = result.catch(() => undefined);
    return result;
  };
  return {
    reload: (wanted) => next(() => replace(wanted)),
    stop: () =>
      next(() => {
        manager?.stopping();
        return running.stopAll();
      }),
  };
}

async function startParts(context: DaemonContext, service: ServiceManager | null): Promise<void> {
  const { config, version, log, clock, startUnixMs, path, settings, stops } = context;
  if (readLicenseKey(config.license_key_file) === null && config.license_key_file !== undefined)
    log.warn(
      `${config.license_key_file} is empty, so collectors on other hosts refuse this one: make a key there with "apm key create NAME". All else works without`,
    );
  if (context.sockets.agent !== undefined && config.agent_socket_mode !== DEFAULT_SOCKET_MODE)
    log.warn(
      `agent_socket_mode = "${config.agent_socket_mode}" has no effect: systemd made agent.sock, its mode is SocketMode= of apm-daemon.socket`,
    );
  stops.push(await claimStateDir(config.state_dir));
  stops.push(await claimRunDir(config.run_dir));

  const storage = await openStorage(context);
  const { journal, ledger, freeDisk } = storage;
  const progress = new Progress({ sealIntervalMs: config.seal_interval_ms, monoMs: clock.monoMs });
  const watch = await watchHost(
    {
      inventory: {
        ...(config.host_name === undefined ? {} : { name: config.host_name }),
        daemonVersion: version,
        hostIdFile: path("host-id"),
      },
      maxProcessFiles: filesLeftBy(config.limits.connections),
      config,
      onSampled: (tsSec, host) => {
        progress.samples.note();
        context.live.second(tsSec, () => host.newest());
      },
      log,
    },
    stops,
  );
  const sealBeat = new SealBeat(config.seal_interval_ms, clock, () => {
    freeDisk.keep();
    void sealer.seal().then(() => sealer.isBroken || progress.seals.note());
  });
  const sealSoon = (): void => sealBeat.sealSoon();
  const counting = createCounting(context, storage, watch, sealSoon);
  const sending = createSending(context, storage, counting, watch, sealSoon);
  const { sealer, recorder, uplink } = sending;
  const recovery = countWhatIsLeft(context, storage, counting);
  const agents = await createAgents(context, storage, counting, sealer, watch);
  const { listener, agentSocket } = agents;

  const reporter = new StatusReporter({
    version,
    config,
    stateDir: config.state_dir,
    settings,
    startUnixMs,
    clock,
    recovery,
    watch,
    ...storage,
    ...counting,
    ...sending,
    ...agents,
  });
  const status = new StatusServer({
    path: join(config.run_dir, "status.sock"),
    passedFd: context.sockets.status,
    report: () => reporter.report(),
    ledger: () =>
      ledgerReport({ host: watch.identity, collector: config.collector, journal, sealer, ledger, clock }),
    top: () => topReport({ version, startUnixMs, clock, watch, reporter, ...counting, ...sending }),
    recent: (query) => counting.hour.report(query),
    trace: (traceId) => localTrace(recorder, { host: watch.identity.name, clock }, traceId),
  });

  // Each start pushes its stop, so the end runs backwards: no more spans, seal, send, and only then let go of the folders.
  await status.start();
  stops.push(() => status.stop());
  uplink.start();
  stops.push(() => uplink.stop(UPLOAD_AT_STOP_MS));
  stops.push(() => sealer.sealFinally());
  stops.push(() => {
    watch.host.release();
    watch.processes.release();
  });
  scheduleSelfReport(context, watch, ledger, uplink);
  sealBeat.start();
  sealBeat.sealSoon();
  stops.push(() => sealBeat.stop());
  await listener.start();
  stops.push(() => listener.stop());
  counting.blackBox.start();
  stops.push(() => counting.blackBox.stop());
  const summary = (): string => reporter.summary();
  progress.watch(service, { journalDir: path("journal"), agentSocket, summary, log }, stops);
  log.info({ host: watch.identity.name, agentSocket, collector: config.collector }, "the daemon is ready");
}
