import type { RecoveryStatus } from "@apm-daemon/protocol";
import { Aggregator } from "../aggregate/aggregator.ts";
import { BlackBox } from "../black-box/black-box.ts";
import type { HostWatch } from "../host-watch.ts";
import { FrameIntake } from "../intake/frame-intake.ts";
import { InstanceRegistry } from "../intake/instance-registry.ts";
import { recover } from "../recovery.ts";
import { RecentHour } from "../status/recent-hour.ts";
import { TraceKeeper } from "../traces/trace-keeper.ts";
import type { DaemonContext } from "./context.ts";
import { lostRows, type Storage } from "./storage.ts";

/** What becomes of a frame, from the moment it is journaled until a seal takes the numbers. */
export interface Counting {
  instances: InstanceRegistry;
  intake: FrameIntake;
  aggregator: Aggregator;
  traces: TraceKeeper;
  blackBox: BlackBox;
  hour: RecentHour;
}

export function createCounting(
  { config, clock, log, path, apdexTMs, slowActionMs, statementTexts, settings, live }: DaemonContext,
  { journal, cursor, ledger }: Storage,
  { processes, identity }: HostWatch,
  sealSoon: () => void,
): Counting {
  const traces = new TraceKeeper({
    keep: config.traces.keep,
    errorsPerAction: config.traces.errors_per_action,
    slowestPerAction: config.traces.slowest_per_action,
    repeatsPerAction: config.traces.repeats_per_action,
    randomPerAction: config.traces.random_per_action,
    slowUs: (app) => slowActionMs(app) * 1_000,
    random: Math.random,
  });
  const hour = new RecentHour({
    host: identity,
    clock,
    slowMs: (app) => Math.min(apdexTMs(app), slowActionMs(app)),
  });
  const aggregator = new Aggregator({
    limits: {
      actionsPerApp: config.limits.actions_per_app,
      operationsPerApp: config.limits.operations_per_app,
      openTraces: config.limits.open_traces,
    },
    apdexTUs: (app) => apdexTMs(app) * 1_000,
    slowStatementUs: () => settings.agent.slowStatementMs * 1_000,
    traces,
    ledger,
    onNewApp: sealSoon,
    onRequest: (app, durationUs, isError) => live.countRequest(app, durationUs, isError),
    onStatements: (rows) => hour.addStatements(rows),
  });
  const blackBox = new BlackBox({
    journal,
    processes,
    stateFile: path("black-box.json"),
    cursor,
    statementTexts,
    clock,
    log,
    settle: (instance, nowUnixMs) => ledger.settle(instance, nowUnixMs),
    onEvent: sealSoon,
  });
  const intake = new FrameIntake({
    journal,
    counter: aggregator,
    onRuntime: (source, frame) => {
      const {
        inFlight: _inFlight,
        counters: _counters,
        libraries,
        recording,
        overheadRatio,
        ...values
      } = frame;
      if (libraries !== undefined) source.libraries = libraries;
      source.overhead = recording === undefined ? null : { recording, ratio: overheadRatio ?? 0 };
      processes.note(source.instance, values);
      blackBox.noteRuntime(source, frame);
    },
    onFrame: blackBox.noteFrame.bind(blackBox),
    clock,
  });
  return { instances: new InstanceRegistry(journal), intake, aggregator, traces, blackBox, hour };
}

/** Counts what the run before had journaled and not sealed; says so in one line of the log. */
export function countWhatIsLeft(
  { clock, log, startUnixMs }: DaemonContext,
  { journal, cursor, cursorSource, ledger, outbox }: Storage,
  { instances, intake, aggregator, traces, blackBox }: Counting,
): RecoveryStatus {
  const report = recover({
    journal,
    cursor,
    instances,
    intake,
    aggregator,
    ledger,
    traces,
    onFrame: blackBox.noteFrame.bind(blackBox),
    nowUnixMs: startUnixMs,
  });
  for (const batch of outbox.givenUp) ledger.move(lostRows(batch, cursor), "outbox_full");
  const recovery = {
    cursor: cursorSource,
    ...report,
    quarantinedBatches: outbox.quarantinedBatches,
    unknownVersionFiles: [...journal.newerFiles, ...outbox.newerFiles],
    waitingBatches: outbox.count,
    durationMs: clock.unixMs() - startUnixMs,
  };
  log.info(recovery, "read what the run before had left");
  return recovery;
}
