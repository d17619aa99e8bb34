import { deploymentOf, type RecoveryStatus, type StatusReport } from "@apm-daemon/protocol";
import type { LossLedger } from "../aggregate/loss-ledger.ts";
import type { BlackBox } from "../black-box/black-box.ts";
import type { DaemonConfig } from "../config.ts";
import type { FreeDisk } from "../disk/free-disk.ts";
import { UserNames } from "../host-sampling/user-names.ts";
import type { HostWatch } from "../host-watch.ts";
import type { AgentListener } from "../intake/agent-listener.ts";
import type { FrameIntake } from "../intake/frame-intake.ts";
import type { InstanceRegistry } from "../intake/instance-registry.ts";
import type { WriteGate } from "../intake/write-gate.ts";
import type { Journal } from "../journal/journal.ts";
import type { DeadLetters } from "../outbox/dead-letters.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { Sealer } from "../outbox/sealer.ts";
import type { CollectorSettings } from "../settings/collector-settings.ts";
import type { TraceKeeper } from "../traces/trace-keeper.ts";
import type { SendQueue } from "../uplink/send-queue.ts";
import type { Uplink } from "../uplink/uplink.ts";
import type { WhySlow } from "../why-slow/why-slow.ts";
import { intakeUsage, throttleProblem } from "./intake-usage.ts";
import type { RecentWindows } from "./recent-requests.ts";
import { samplingProblems, samplingStatus } from "./sampling-status.ts";

export interface StatusReporterOptions {
  version: string;
  config: Pick<DaemonConfig, "collector" | "journal" | "outbox" | "license_key_file">;
  stateDir: string;
  settings: CollectorSettings;
  agentSocket: string;
  startUnixMs: number;
  clock: { unixMs(): number; monoMs(): number };
  listener: AgentListener;
  intake: FrameIntake;
  gate: WriteGate;
  instances: InstanceRegistry;
  journal: Journal;
  outbox: Outbox;
  freeDisk: FreeDisk;
  recovery: RecoveryStatus;
  queue: SendQueue;
  deadLetters: DeadLetters;
  sealer: Sealer;
  uplink: Uplink;
  ledger: LossLedger;
  recent: RecentWindows;
  traces: Pick<TraceKeeper, "passedOver">;
  whySlow: Pick<WhySlow, "counts">;
  watch: HostWatch;
  blackBox: Pick<BlackBox, "recent">;
}

/** A collector that acknowledges nothing for longer than this is a problem worth a word; one that refuses is at once. */
const UPLINK_SILENT_MS = 30_000;
const MAX_FILES_NAMED = 1_000;
const MIB = 1_048_576;

/** Puts together what the daemon knows of itself. */
export class StatusReporter {
  readonly #options: StatusReporterOptions;
  readonly #userNames = new UserNames("/etc/passwd");
  /** When the summary was asked for last, and how many spans there were. */
  #summed: { monoMs: number; spans: number } | null = null;

  constructor(options: StatusReporterOptions) {
    this.#options = options;
  }

  report(): StatusReport {
    const o = this.#options;
    return {
      version: o.version,
      pid: process.pid,
      startUnixMs: o.startUnixMs,
      host: o.watch.identity.name,
      ...this.health(),
      self: o.watch.self.read(),
      hostSecond: o.watch.host.newest(),
      sampling: samplingStatus(o.watch),
      agentSocket: o.agentSocket,
      files: { stateDir: o.stateDir, licenseKeyFile: o.config.license_key_file ?? null },
      apps: this.#apps(),
      settings: {
        isTaken: o.settings.isTaken,
        fromCollector: o.settings.current,
        sql: o.settings.agent.sql,
      },
      intake: {
        connections: o.listener.connections,
        frames: o.intake.counts.frames,
        spans: o.ledger.received,
        bytes: o.intake.counts.bytes,
        refused: o.listener.quotas.refusals.total,
        malformed: o.intake.counts.malformed,
        duplicates: o.intake.counts.duplicates,
        sequenceJumps: o.intake.counts.sequenceJumps,
        ...intakeUsage(o.listener, o.instances, this.#userNames),
      },
      journal: {
        bytes: o.journal.bytes,
        segments: o.journal.segments,
        position: o.journal.position,
        sealed: o.sealer.cursor.journal.sealed,
        capBytes: o.config.journal.cap_bytes,
        syncFailures: o.journal.syncFailures,
        stalls: o.gate.closings,
      },
      recovery: {
        ...o.recovery,
        quarantinedBatches: o.outbox.quarantinedBatches,
        unknownVersionFiles: this.#newerFiles(),
      },
      outbox: {
        batches: o.queue.count,
        bytes: o.queue.bytes,
        oldestUnixMs: o.outbox.oldestUnixMs,
        capBytes: o.config.outbox.cap_bytes,
        deadLetters: o.deadLetters.count,
      },
      uplink: {
        url: o.config.collector,
        state: o.uplink.state,
        reason: o.uplink.reason,
        lastAckUnixMs: o.uplink.lastAckUnixMs,
        batchesAcked: o.uplink.counts.acked,
        bytesSent: o.uplink.counts.bytesSent,
        inFlightBytes: o.uplink.inFlightBytes,
        bufferedBytes: o.uplink.bufferedBytes,
      },
      traces: { passedOver: o.traces.passedOver, verdicts: { ...o.whySlow.counts } },
      dropped: o.ledger.dropped(),
      events: [...o.blackBox.recent],
    };
  }

  /** Whether all is well, and what is not. */
  health(): Pick<StatusReport, "health" | "problems"> {
    const { gate, sealer } = this.#options;
    const problems = this.#problems();
    if (gate.problem !== "" || sealer.problem !== "") return { health: "failing", problems };
    return { health: problems.length > 0 ? "degraded" : "ok", problems };
  }

  /** The most important of it in one line. */
  summary(): string {
    const { instances, uplink, outbox } = this.#options;
    const apps = new Set(instances.connected().map(({ app }) => app)).size;
    const work = `${apps} ${apps === 1 ? "app" : "apps"} connected, ${this.#spansPerSecond()} spans/s; collector ${uplink.state}, ${outbox.count} batches wait`;
    const [problem] = this.#problems();
    return problem === undefined ? work : `${work}; ${problem}`;
  }

  /** Since the last summary; 0 at first. */
  #spansPerSecond(): number {
    const { ledger, clock } = this.#options;
    const now = { monoMs: clock.monoMs(), spans: ledger.received };
    const before = this.#summed ?? now;
    this.#summed = now;
    const seconds = (now.monoMs - before.monoMs) / 1_000;
    return seconds > 0 ? Math.round((now.spans - before.spans) / seconds) : 0;
  }

  #apps(): StatusReport["apps"] {
    const { instances, recent, clock, watch } = this.#options;
    const apps = new Map<string, StatusReport["apps"][number]>();
    for (const connected of instances.connected()) {
      const { app, instance, pid, uid, origin, claimedPid, runtime, agentVersion, overhead, libraries } =
        connected;
      const entry = apps.get(app) ?? {
        app,
        instances: [],
        apdexTMs: this.#options.settings.apdexTMs(app),
        ...recent.of(app, clock.unixMs() / 1_000),
      };
      const newest = watch.processes.newest(instance);
      entry.instances.push({
        instance,
        pid,
        origin,
        uid,
        ...(claimedPid === pid ? {} : { claimedPid }),
        runtime,
        agentVersion,
        ...deploymentOf(connected),
        cpuRatio: newest?.["cpuRatio"] ?? null,
        rssBytes: newest?.["rssBytes"] ?? null,
        ...(overhead === null ? {} : { recording: overhead.recording, overheadRatio: overhead.ratio }),
        ...(libraries === null ? {} : { libraries }),
      });
      apps.set(app, entry);
    }
    return [...apps.values()];
  }

  #problems(): string[] {
    const {
      listener,
      gate,
      sealer,
      uplink,
      outbox,
      deadLetters,
      journal,
      recovery,
      startUnixMs,
      clock,
      watch,
    } = this.#options;
    const problems: string[] = [];
    if (gate.problem !== "") problems.push(gate.problem);
    if (sealer.problem !== "") problems.push(sealer.problem);
    const uplinkProblem = uplinkProblemOf(uplink, outbox, startUnixMs, clock.unixMs());
    if (uplinkProblem !== "") problems.push(uplinkProblem);
    if (outbox.droppedBatches > 0)
      problems.push(
        `${outbox.droppedBatches} batches were deleted unsent because the outbox or the disk was full: raise outbox.cap_bytes, free disk space or bring the collector back`,
      );
    if (outbox.quarantinedBatches > 0)
      problems.push(
        `${outbox.quarantinedBatches} batches lie in outbox/quarantine: look at them with "apm batch show"`,
      );
    if (deadLetters.count > 0) problems.push(deadLetterProblem(deadLetters));
    if (journal.unsealedSegmentsDropped > 0)
      problems.push(
        `${journal.unsealedSegmentsDropped} journal segments were deleted before they were counted: raise journal.cap_bytes`,
      );
    if (recovery.cursor === "lost")
      problems.push(
        "at its start the daemon found a journal but nothing that says what of it was sealed: what was not sealed before is not counted; do not delete journal/cursor.json",
      );
    problems.push(...this.#freeDiskProblem(), ...this.#newerFilesProblem());
    problems.push(...samplingProblems(watch));
    problems.push(...throttleProblem(listener, this.#userNames));
    return problems;
  }

  #freeDiskProblem(): string[] {
    const { freeDisk, stateDir } = this.#options;
    if (freeDisk.lowBytes === null) return [];
    const [freeMib, minMib] = [freeDisk.lowBytes, freeDisk.minBytes].map((bytes) => Math.floor(bytes / MIB));
    return [
      `the file system of ${stateDir} has ${freeMib} MiB free, less than the ${minMib} MiB left to others: free space there, or lower limits.min_free_disk_bytes`,
    ];
  }

  #newerFilesProblem(): string[] {
    const files = this.#newerFiles();
    if (files.length === 0) return [];
    const named = files.slice(0, 3).join(", ");
    return [
      `${files.length} files of a later release (${named}${files.length > 3 ? ", …" : ""}) are left as they are and not sent: start the release that wrote them, or move them away`,
    ];
  }

  #newerFiles(): string[] {
    const { journal, outbox } = this.#options;
    return [
      ...journal.newerFiles.map((name) => `journal/${name}`),
      ...outbox.newerFiles.map((name) => `outbox/${name}`),
    ].slice(0, MAX_FILES_NAMED);
  }
}

function deadLetterProblem({ count, dropped, lastReason }: DeadLetters): string {
  const reason = lastReason === "" ? "" : ` (the last one: ${lastReason})`;
  const gone = dropped === 0 ? "" : `, and ${dropped} older ones were deleted to make room`;
  return (
    `the collector can never use ${count === 1 ? "1 batch" : `${count} batches`}, put into outbox/dead-letter${gone}${reason}: install daemon and ` +
    'collector of one release, read the reason in the .json files and the rows with "apm batch show", then delete the files'
  );
}

/** What keeps batches from the collector; "" when nothing does, or not for long. */
export function uplinkProblemOf(
  uplink: Pick<Uplink, "state" | "reason" | "lastAckUnixMs">,
  outbox: Pick<Outbox, "count" | "oldestUnixMs">,
  startUnixMs: number,
  nowUnixMs: number,
): string {
  // A clock that was set back must not hide an outage until it has caught up.
  const silentMs = Math.abs(nowUnixMs - (uplink.lastAckUnixMs ?? startUnixMs));
  if (uplink.state === "refused" || (uplink.state !== "connected" && silentMs > UPLINK_SILENT_MS))
    return `no connection to the collector: ${uplink.reason}`;
  const waitingMs = Math.abs(nowUnixMs - (outbox.oldestUnixMs ?? nowUnixMs));
  if (uplink.state !== "connected" || Math.min(silentMs, waitingMs) <= UPLINK_SILENT_MS) return "";
  const batches = outbox.count === 1 ? "1 batch waits" : `${outbox.count} batches wait`;
  return `the collector has acknowledged nothing for ${Math.round(silentMs / 1_000)} s while ${batches}: ${uplink.reason || "it does not answer; look at its log"}`;
}
