/** The composition root: the parts in the order in which the data flows. */
import { join } from "node:path";
import { DEFAULT_AGENT_SETTINGS, type HostIdentity } from "@apm-daemon/protocol";
import { schedule } from "node-cron";
import type { Logger } from "pino";
import { Aggregator } from "./aggregate/aggregator.ts";
import { LossLedger } from "./aggregate/loss-ledger.ts";
import type { DaemonConfig } from "./config.ts";
import { Beat } from "./host-sampling/beat.ts";
import { HostSampler } from "./host-sampling/host-sampler.ts";
import { readInventory } from "./host-sampling/inventory.ts";
import { ProcessSampler } from "./host-sampling/process-sampler.ts";
import { AgentListener } from "./intake/agent-listener.ts";
import { FrameIntake } from "./intake/frame-intake.ts";
import { InstanceRegistry } from "./intake/instance-registry.ts";
import { Journal } from "./journal/journal.ts";
import { recoverCursor } from "./outbox/cursor.ts";
import { Outbox } from "./outbox/outbox.ts";
import { Sealer } from "./outbox/sealer.ts";
import { recover } from "./recovery.ts";
import { SealBeat } from "./seal-beat.ts";
import { claimStateDir } from "./state-lock.ts";
import { RecentWindows } from "./status/recent-requests.ts";
import { SelfUsage } from "./status/self-usage.ts";
import { StatusReporter } from "./status/status-reporter.ts";
import { StatusServer } from "./status/status-server.ts";
import { TraceKeeper } from "./traces/trace-keeper.ts";
import { readLicenseKey } from "./uplink/license-key.ts";
import { Uplink } from "./uplink/uplink.ts";

export interface DaemonOptions {
  config: DaemonConfig;
  version: string;
  log: Logger;
}

export interface RunningDaemon {
  /** Stops taking spans, seals, sends what the collector takes within 2 s, ends. What is left waits in the outbox. */
  stop(): Promise<void>;
}

const clock = { unixMs: (): number => Date.now() };
const UPLOAD_AT_STOP_MS = 2_000;

/** Starts the daemon; rejects with DaemonError when it cannot work with its folders, sockets or key. */
export async function startDaemon({ config, version, log }: DaemonOptions): Promise<RunningDaemon> {
  const startUnixMs = clock.unixMs();
  const path = (...parts: string[]): string => join(config.state_dir, ...parts);
  const readKey = (): string | null => readLicenseKey(config.license_key_file);
  readKey();
  const releaseStateDir = await claimStateDir(config.state_dir);
  const apdexTMs = (app: string): number => config.apps[app]?.apdex_t_ms ?? config.apdex_t_ms;

  const journal = new Journal({
    dir: path("journal"),
    segmentBytes: config.journal.segment_bytes,
    capBytes: config.journal.cap_bytes,
    fsync: config.journal.fsync,
  });
  const outbox = new Outbox({ dir: path("outbox"), capBytes: config.outbox.cap_bytes });
  const cursorPath = path("journal", "cursor.json");
  const { cursor, source } = await recoverCursor(cursorPath, outbox.newest(), journal.position);
  journal.startFrom(cursor.journal.sealed);

  const traces = new TraceKeeper({
    keep: config.traces.keep,
    errorsPerAction: config.traces.errors_per_action,
    slowestPerAction: config.traces.slowest_per_action,
    randomPerAction: config.traces.random_per_action,
    random: Math.random,
  });
  const ledger = new LossLedger();
  const recent = new RecentWindows();
  const aggregator = new Aggregator({
    limits: {
      actionsPerApp: config.limits.actions_per_app,
      operationsPerApp: config.limits.operations_per_app,
      openTraces: config.limits.open_traces,
    },
    apdexTUs: (app) => apdexTMs(app) * 1_000,
    traces,
    ledger,
    onNewApp: () => sealBeat.sealSoon(),
  });
  const processSampler = new ProcessSampler();
  const instances = new InstanceRegistry(journal);
  const intake = new FrameIntake({
    journal,
    counter: aggregator,
    onRuntime: (
      { instance },
      { eventLoopDelayP99Ms, eventLoopUtilizationRatio, gcPauseMs, heapUsedBytes, heapTotalBytes },
    ) =>
      processSampler.note(instance, {
        eventLoopDelayP99Ms,
        eventLoopUtilizationRatio,
        gcPauseMs,
        heapUsedBytes,
        heapTotalBytes,
      }),
    clock,
  });

  const hostSampler = new HostSampler();
  const self = new SelfUsage();
  const beat = new Beat({
    onSecond: (tsSec, monoMs) => {
      hostSampler.tick(tsSec, monoMs);
      void processSampler.tick(tsSec, monoMs);
      if (tsSec % 5 === 0) self.measure();
    },
  });

  const inventory = (): Promise<HostIdentity> =>
    readInventory({
      ...(config.host_name === undefined ? {} : { name: config.host_name }),
      daemonVersion: version,
      hostIdFile: path("host-id"),
    });
  const host = await inventory();
  // Hardware and system change seldom, under a running daemon least of all: once a day is enough.
  const inventoryJob = schedule("17 4 * * *", async () => {
    Object.assign(host, await inventory());
  });

  const uplink = new Uplink({
    url: config.collector,
    readKey,
    host,
    outbox,
    position: () => ({ stream: sealer.cursor.stream, nextNumber: sealer.cursor.nextNumber }),
    log,
    clock,
    random: Math.random,
  });
  const sealer = new Sealer({
    cursor,
    cursorPath,
    journal,
    journalCapBytes: config.journal.cap_bytes,
    aggregator,
    traces,
    instances,
    outbox,
    host,
    hostSampler,
    processSampler,
    apdexTMs,
    clock,
    log,
    onSealed: ({ actions }) => {
      recent.add(actions, clock.unixMs() / 1_000);
      uplink.notify();
    },
  });
  const sealBeat = new SealBeat(config.seal_interval_ms, clock, () => void sealer.seal());

  const report = recover({ journal, cursor, instances, intake, aggregator, traces, nowUnixMs: startUnixMs });
  log.info({ ...report, cursor: source, waitingBatches: outbox.count }, "read what the run before had left");

  const agentSocket = join(config.run_dir, "agent.sock");
  const listener = new AgentListener({
    path: agentSocket,
    mode: Number.parseInt(config.agent_socket_mode, 8),
    maxConnections: config.limits.connections,
    registry: instances,
    intake,
    settings: { ...DEFAULT_AGENT_SETTINGS, sql: config.settings.sql },
    log,
    clock,
    onOpen: ({ app, instance, pid, startUnixMs: processStartUnixMs }) => {
      log.info({ app, pid }, "an app connected");
      processSampler.add({ key: instance, pid, startUnixMs: processStartUnixMs });
    },
    onGone: ({ instance, connections }) => {
      if (connections === 0) processSampler.remove(instance);
    },
  });
  const reporter = new StatusReporter({
    version,
    hostName: host.name,
    collectorUrl: config.collector,
    agentSocket,
    journalCapBytes: config.journal.cap_bytes,
    outboxCapBytes: config.outbox.cap_bytes,
    startUnixMs,
    clock,
    listener,
    intake,
    instances,
    journal,
    outbox,
    sealer,
    uplink,
    ledger,
    recent,
    self,
    hostSampler,
    processSampler,
  });
  const status = new StatusServer({
    path: join(config.run_dir, "status.sock"),
    report: () => reporter.report(),
  });

  await status.start();
  await listener.start();
  beat.start();
  sealBeat.start();
  sealBeat.sealSoon();
  uplink.start();
  log.info({ host: host.name, agentSocket, collector: config.collector }, "the daemon is ready");

  return {
    stop: async () => {
      beat.stop();
      await inventoryJob.stop();
      await listener.stop();
      sealBeat.stop();
      await sealer.sealFinally();
      await uplink.stop(UPLOAD_AT_STOP_MS);
      await status.stop();
      hostSampler.stop();
      journal.close();
      releaseStateDir();
    },
  };
}
