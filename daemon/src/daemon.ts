/** The composition root: the parts in the order in which the data flows. */
import { join } from "node:path";
import { DEFAULT_AGENT_SETTINGS } from "@apm-daemon/protocol";
import type { Logger } from "pino";
import { Aggregator } from "./aggregate/aggregator.ts";
import { LossLedger } from "./aggregate/loss-ledger.ts";
import { BlackBox } from "./black-box/black-box.ts";
import type { DaemonConfig } from "./config.ts";
import { DiskReserve } from "./disk/disk-reserve.ts";
import { FreeDisk } from "./disk/free-disk.ts";
import { FlightRecorder } from "./flight-recorder/flight-recorder.ts";
import { foundMessages } from "./flight-recorder/found-messages.ts";
import { localTrace } from "./flight-recorder/local-trace.ts";
import { watchHost } from "./host-watch.ts";
import { AgentListener } from "./intake/agent-listener.ts";
import { connectionRoom } from "./intake/connection-room.ts";
import { FrameIntake } from "./intake/frame-intake.ts";
import { InstanceRegistry } from "./intake/instance-registry.ts";
import { IntakeQuotas } from "./intake/intake-quotas.ts";
import { openPeerCredentials } from "./intake/peer-credentials.ts";
import { journalProblem, reasonToHold } from "./intake/reason-to-hold.ts";
import { RepeatedEvents } from "./intake/repeated-events.ts";
import { claimRunDir } from "./intake/run-dir-claim.ts";
import { WriteGate } from "./intake/write-gate.ts";
import { Journal } from "./journal/journal.ts";
import { recoverCursor } from "./outbox/cursor.ts";
import { DeadLetters } from "./outbox/dead-letters.ts";
import { Outbox } from "./outbox/outbox.ts";
import { PartsFolder } from "./outbox/parts-folder.ts";
import { Sealer } from "./outbox/sealer.ts";
import { recover } from "./recovery.ts";
import { SealBeat } from "./seal-beat.ts";
import { claimStateDir } from "./state-lock.ts";
import { ledgerReport } from "./status/ledger-report.ts";
import { RecentWindows } from "./status/recent-requests.ts";
import { StatusReporter } from "./status/status-reporter.ts";
import { StatusServer } from "./status/status-server.ts";
import { StopStack } from "./stop-stack.ts";
import { TraceKeeper } from "./traces/trace-keeper.ts";
import { readLicenseKey } from "./uplink/license-key.ts";
import { RefusedBatches } from "./uplink/refused-batches.ts";
import { SendQueue } from "./uplink/send-queue.ts";
import { Uplink } from "./uplink/uplink.ts";
import { Progress } from "./watchdog/progress.ts";
import type { ServiceOptions } from "./watchdog/service-manager.ts";

export interface DaemonOptions {
  config: DaemonConfig;
  version: string;
  log: Logger;
  /** The service manager that wants to know how the daemon is; null where there is none. */
  service?: ServiceOptions | null;
}

export interface RunningDaemon {
  /** Stops taking spans, seals, sends what the collector takes within 2 s, ends. What is left waits in the outbox. */
  stop(): Promise<void>;
}

const clock = { unixMs: (): number => Date.now(), monoMs: (): number => performance.now() };
const UPLOAD_AT_STOP_MS = 2_000;
/** Enough to find out why; they are of no use to the daemon. */
const DEAD_LETTERS_CAP_BYTES = 16 * 1_048_576;

/** Starts the daemon; rejects with DaemonError when it cannot work with its folders, sockets or key. */
export async function startDaemon(options: DaemonOptions): Promise<RunningDaemon> {
  const stops = new StopStack();
  try {
    await startParts(options, stops);
  } catch (error) {
    await stops.stopAll();
    throw error;
  }
  return { stop: () => stops.stopAll() };
}

async function startParts(
  { config, version, log, service = null }: DaemonOptions,
  stops: StopStack,
): Promise<void> {
  const startUnixMs = clock.unixMs();
  const readKey = (): string | null => readLicenseKey(config.license_key_file);
  readKey();
  stops.push(await claimStateDir(config.state_dir));
  stops.push(await claimRunDir(config.run_dir));
  const path = (...parts: string[]): string => join(config.state_dir, ...parts);
  const apdexTMs = (app: string): number => config.apps[app]?.apdex_t_ms ?? config.apdex_t_ms;

  const journalDir = path("journal");
  const journal = new Journal({
    dir: journalDir,
    segmentBytes: config.journal.segment_bytes,
    capBytes: config.journal.cap_bytes,
    fsync: config.journal.fsync,
    onSyncFailed: (error, segment) =>
      log.error({ err: error, segment }, "the disk refused to keep a journal segment; it is rewritten"),
  });
  stops.push(() => journal.close());
  const reserve = new DiskReserve(path("journal", "reserve"));
  const ledger = new LossLedger();
  const outbox = new Outbox({
    dir: path("outbox"),
    capBytes: config.outbox.cap_bytes,
    // What a batch held that cannot be read is found by its absence, in the totals.
    onLost: ({ header, reason }) => ledger.move(header?.ledger ?? [], reason),
  });
  const freeDisk = new FreeDisk({
    dir: config.state_dir,
    minFreeBytes: config.limits.min_free_disk_bytes,
    givers: [journal, outbox],
  });
  const cursorPath = path("journal", "cursor.json");
  const { cursor, source } = await recoverCursor(cursorPath, outbox.newest(), journal.position, reserve);
  outbox.deleteUnfinished(cursor);
  const parts = new PartsFolder(path("outbox", "parts"));
  parts.finishSplits(outbox);
  const deadLetters = new DeadLetters({
    dir: path("outbox", "dead-letter"),
    capBytes: DEAD_LETTERS_CAP_BYTES,
    clock,
  });
  journal.startFrom(cursor.journal.sealed);

  const progress = new Progress({
    sealIntervalMs: config.seal_interval_ms,
    monoMs: () => performance.now(),
  });
  const watch = await watchHost(
    {
      ...(config.host_name === undefined ? {} : { name: config.host_name }),
      daemonVersion: version,
      hostIdFile: path("host-id"),
    },
    () => progress.samples.note(),
    stops,
  );

  const traces = new TraceKeeper({
    keep: config.traces.keep,
    errorsPerAction: config.traces.errors_per_action,
    slowestPerAction: config.traces.slowest_per_action,
    randomPerAction: config.traces.random_per_action,
    random: Math.random,
  });
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
  const instances = new InstanceRegistry(journal);
  const blackBox = new BlackBox({
    journal,
    processes: watch.processes,
    stateFile: path("black-box.json"),
    cursor,
    clock,
    log,
    settle: (instance, nowUnixMs) => ledger.settle(instance, nowUnixMs),
    onEvent: () => sealBeat.sealSoon(),
  });
  const onFrame = blackBox.noteFrame.bind(blackBox);
  const intake = new FrameIntake({
    journal,
    counter: aggregator,
    onRuntime: (source, frame) => {
      const { inFlight: _inFlight, ...values } = frame;
      watch.processes.note(source.instance, values);
      blackBox.noteRuntime(source, frame);
    },
    onFrame,
    clock,
  });

  const queue = new SendQueue(outbox, parts);
  const refused = new RefusedBatches({
    queue,
    parts,
    deadLetters,
    onDeadLetter: ({ header }) => header && ledger.moveRefused(header),
    log,
  });
  const recorder = new FlightRecorder({ journal, log });
  stops.push(() => recorder.stop());
  const uplink = new Uplink({
    url: config.collector,
    readKey,
    host: watch.identity,
    queue,
    refused,
    find: (want) => foundMessages(recorder, want),
    position: () => ({ stream: sealer.cursor.stream, nextNumber: sealer.cursor.nextNumber }),
    log,
    clock,
    random: Math.random,
  });
  const recent = new RecentWindows();
  const sealer = new Sealer({
    cursor,
    cursorPath,
    journal,
    journalCapBytes: config.journal.cap_bytes,
    aggregator,
    ledger,
    traces,
    instances,
    outbox,
    host: watch.identity,
    hostSampler: watch.host,
    processSampler: watch.processes,
    events: blackBox,
    apdexTMs,
    clock,
    log,
    reserve,
    onFailed: () => sealBeat.sealSoon(),
    onSealed: ({ actions }) => {
      recent.add(actions, clock.unixMs() / 1_000);
      uplink.notify();
    },
  });
  const sealBeat = new SealBeat(config.seal_interval_ms, clock, () => {
    freeDisk.keep();
    void sealer.seal().then(() => sealer.isBroken || progress.seals.note());
  });

  const report = recover({
    journal,
    cursor,
    instances,
    intake,
    aggregator,
    ledger,
    traces,
    onFrame,
    nowUnixMs: startUnixMs,
  });
  const recovery = {
    cursor: source,
    ...report,
    quarantinedBatches: outbox.quarantinedBatches,
    unknownVersionFiles: [...journal.newerFiles, ...outbox.newerFiles],
    waitingBatches: outbox.count,
    durationMs: clock.unixMs() - startUnixMs,
  };
  log.info(recovery, "read what the run before had left");

  const gate = new WriteGate({
    hold: () => reasonToHold(sealer, reserve, journalDir),
    describe: (error) => journalProblem(journalDir, error),
    log,
  });
  const agentSocket = join(config.run_dir, "agent.sock");
  const room = connectionRoom(config.limits.connections);
  for (const warning of room.warnings) log.warn(warning);
  const peers = await openPeerCredentials();
  if (typeof peers === "string") log.warn(`uid and pid of apps are not proven but as they claim: ${peers}`);
  const quotas = new IntakeQuotas(
    {
      connectionsPerUid: config.limits.connections_per_uid,
      bytesPerSecondPerUid: config.limits.bytes_per_second_per_uid,
      journalShare: config.limits.journal_share_per_uid,
      ringBytes: config.journal.cap_bytes,
      sealIntervalMs: config.seal_interval_ms,
    },
    clock.monoMs,
  );
  const events = new RepeatedEvents(log, clock.monoMs);
  const listener = new AgentListener({
    path: agentSocket,
    mode: Number.parseInt(config.agent_socket_mode, 8),
    maxConnections: room.connections,
    readPeer: typeof peers === "string" ? null : peers,
    quotas,
    events,
    registry: instances,
    intake,
    gate,
    settings: { ...DEFAULT_AGENT_SETTINGS, sql: config.settings.sql },
    log,
    clock,
    onOpen: (opened) => {
      const { app, instance, pid, uid, origin, startUnixMs: processStartUnixMs } = opened;
      events.note("info", "connected", { app, pid, uid }, "an app connected");
      watch.processes.add({
        key: instance,
        pid,
        startUnixMs: processStartUnixMs,
        isProven: origin === "proven",
        uid,
      });
      blackBox.opened(opened);
    },
    onEnd: (left, end) => {
      if (left.connections > 0) return;
      blackBox.ended(left, end);
      watch.processes.remove(left.instance);
    },
  });
  const reporter = new StatusReporter({
    version,
    config,
    stateDir: config.state_dir,
    agentSocket,
    startUnixMs,
    clock,
    listener,
    intake,
    gate,
    instances,
    journal,
    outbox,
    freeDisk,
    recovery,
    queue,
    deadLetters,
    sealer,
    uplink,
    ledger,
    recent,
    traces,
    watch,
    blackBox,
  });
  const status = new StatusServer({
    path: join(config.run_dir, "status.sock"),
    report: () => reporter.report(),
    ledger: () =>
      ledgerReport({ host: watch.identity, collector: config.collector, journal, sealer, ledger, clock }),
    trace: (traceId) => localTrace(recorder, { host: watch.identity.name, clock }, traceId),
  });

  // Each start pushes its stop, so the end runs backwards: no more spans, seal, send, and only then let go of the folders.
  await status.start();
  stops.push(() => status.stop());
  uplink.start();
  stops.push(() => uplink.stop(UPLOAD_AT_STOP_MS));
  stops.push(() => sealer.sealFinally());
  sealBeat.start();
  sealBeat.sealSoon();
  stops.push(() => sealBeat.stop());
  await listener.start();
  stops.push(() => listener.stop());
  blackBox.start();
  stops.push(() => blackBox.stop());
  const summary = (): string => reporter.summary();
  progress.watch(service, { journalDir: path("journal"), agentSocket, summary, log }, stops);
  log.info({ host: watch.identity.name, agentSocket, collector: config.collector }, "the daemon is ready");
}
