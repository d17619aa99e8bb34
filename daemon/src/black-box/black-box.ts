/**
 * The black box: when an app's process ends without a goodbye, what the daemon knew of it becomes an event of the app.
 *
 * What counts as an end:
 *   BYE with an exit code other than 0                     exit: the process told it, with the exception if there was one
 *   no BYE, and the process is gone                        crash; pid and start time say which process is meant
 *   no BYE, a process that cannot be looked at, and it
 *     does not come back within FOREIGN_GONE_MS            crash (in a container whose processes are not to be seen here)
 *   connected when an earlier daemon ended, and gone now   vanished
 * No end: BYE with code 0 or none (the agent was stopped), a process that lives on (its agent comes back, or was stopped),
 * and a stop signal while nothing was in flight, where the kernel still says that it was one.
 *
 * On the way of a frame two numbers are stored, its position and its time; spans are read back from the journal when the
 * process has ended. Each process's memory cgroup is looked at when it connects, every POLL_MS, and at its end.
 *
 * Not promised: an app that connects less than a fifth of a second before the daemon is killed is not remembered; what the
 * journal's ring has lost already is missing from the report; of processes beyond MAX_INSTANCES nothing is known.
 */
import type { AppEvent, RuntimeFrame, SecondsTable, StatusEvent } from "@apm-daemon/protocol";
import type { Logger } from "pino";
import type { AppInstance } from "../intake/instance-registry.ts";
import type { StatementTexts } from "../traces/span-statements.ts";
import { findContainerProcess } from "./container-process.ts";
import { EventLog } from "./event-log.ts";
import { leanEvent } from "./fit-event.ts";
import { type ConnectionEnd, InstanceMemory } from "./instance-memory.ts";
import type { FrameArchive } from "./last-calls.ts";
import { findMemoryCgroup, type MemoryCounters, readMemoryCounters } from "./memory-cgroup.ts";
import { findOwnProcess, type ProcessState, readBootId, readProcessState } from "./process-state.ts";
import { type EndedProcess, reportOf } from "./report.ts";
import { type BlackBoxState, readStateFile, StateFile, type WatchedRecord } from "./state-file.ts";
import { isStopSignal } from "./verdict.ts";

export interface BlackBoxOptions {
  journal: FrameArchive;
  /** The last seconds of a process that were sampled, drained or not; null for one that is not sampled. */
  processes: { recent(key: string, seconds: number): SecondsTable | null };
  stateFile: string;
  cursor: { stream: string; nextNumber: number };
  /** Hidden: reports name calls without their statements. */
  statementTexts: () => StatementTexts;
  clock: { unixMs(): number; monoMs(): number };
  log: Logger;
  /** An event waits for a batch. */
  onEvent: () => void;
  /** An instance has ended for good: answers how many of its spans will not come, as far as known. */
  settle: (instance: string, nowUnixMs: number) => number;
  /** Default /proc. */
  procRoot?: string;
  /** Default /sys/fs/cgroup. */
  cgroupRoot?: string;
}

const TICK_MS = 1_000;
/** A process whose connection broke is often still busy with ending. */
const FIRST_LOOK_MS = 200;
const POLL_MS = 10_000;
const CURVE_SECONDS = 60;
/** Longer than agents wait before they connect again; a refused one was told to wait 30 s. */
const FOREIGN_GONE_MS = 30_000;
const REFUSED_GONE_MS = 90_000;
/** A process that lives on without its agent is not watched for ever. */
const FORGET_LIVING_MS = 60_000;
/** At a start: an app that ended meanwhile may have left its last words in the socket's queue. */
const ABSENT_LOOK_MS = 3_000;
const ABSENT_GONE_MS = 60_000;
const MAX_INSTANCES = 4_096;
/** Of an app that ends again and again the first reports say all there is to say. */
const FULL_REPORTS = 10;
const FULL_REPORTS_EVERY_MS = 600_000;

export class BlackBox {
  readonly #options: BlackBoxOptions;
  readonly #procRoot: string;
  readonly #cgroupRoot: string;
  readonly #bootId: string;
  readonly #wasRestarted: boolean;
  readonly #memories = new Map<string, InstanceMemory>();
  readonly #events: EventLog;
  readonly #file: StateFile;
  readonly #full = new Map<string, { sinceMonoMs: number; reports: number }>();
  #startMonoMs = 0;
  #timer: NodeJS.Timeout | null = null;
  #isStopped = false;
  /** Processes not watched because MAX_INSTANCES are, since start. */
  unwatched = 0;

  constructor(options: BlackBoxOptions) {
    this.#options = options;
    this.#procRoot = options.procRoot ?? "/proc";
    this.#cgroupRoot = options.cgroupRoot ?? "/sys/fs/cgroup";
    this.#bootId = readBootId(this.#procRoot);
    const state = readStateFile(options.stateFile);
    this.#wasRestarted = state !== null && state.bootId !== this.#bootId;
    this.#events = new EventLog(state?.pending ?? [], state?.recent ?? [], options.cursor);
    for (const record of state?.watched ?? [])
      this.#memories.set(record.instance, new InstanceMemory(record, "absent"));
    this.#file = new StateFile(options.stateFile, options.log, () => this.#state());
  }

  /** The newest events, newest first. */
  get recent(): readonly StatusEvent[] {
    return this.#events.recent;
  }

  /** Events given up because too many waited, since start. */
  get droppedEvents(): number {
    return this.#events.dropped;
  }

  /** Begins to look after processes; call it when the agent socket takes connections. */
  start(): void {
    this.#startMonoMs = this.#options.clock.monoMs();
    if (this.#events.pending.length > 0) this.#options.onEvent();
    this.#watch();
  }

  /** Resolves when who is connected now is on the disk; connections that end from now on are the daemon's own doing. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#rest();
    this.#file.save();
    await this.#file.saved();
  }

  /** An agent said HELLO. */
  opened(instance: AppInstance): void {
    const known = this.#memories.get(instance.instance);
    if (known !== undefined) {
      known.state = "connected";
      known.lost = null;
      return;
    }
    if (this.#memories.size >= MAX_INSTANCES) {
      this.unwatched++;
      return;
    }
    const { app, instance: key, pid, runtime, startUnixMs } = instance;
    const process = this.#processOf(instance);
    const record: WatchedRecord = {
      instance: key,
      app,
      pid,
      runtime,
      startUnixMs,
      process,
      cgroup: null,
      before: null,
      lastHeardUnixMs: this.#options.clock.unixMs(),
    };
    const memory = new InstanceMemory(record, "connected");
    this.#memories.set(key, memory);
    this.#watch();
    if (process === null) void this.#findInContainer(memory);
    else this.#lookAtCgroup(memory);
    this.#file.saveSoon();
  }

  /** A data frame was journaled, now or by an earlier daemon. */
  noteFrame(
    { instance }: AppInstance,
    type: number,
    payload: Buffer,
    position: number,
    receivedUnixMs: number,
  ): void {
    this.#memories.get(instance)?.noteFrame(type, payload, position, receivedUnixMs);
  }

  noteRuntime({ instance }: AppInstance, frame: RuntimeFrame): void {
    const memory = this.#memories.get(instance);
    if (memory !== undefined) memory.lastRuntime = { frame, unixMs: this.#options.clock.unixMs() };
  }

  /** The last connection of an instance ended. */
  ended(instance: AppInstance, end: ConnectionEnd): void {
    const memory = this.#memories.get(instance.instance);
    // While the daemon stops it ends connections itself: only a goodbye says something then.
    if (memory === undefined || (this.#isStopped && memory.bye === null)) return;
    const { clock, processes } = this.#options;
    const seconds = processes.recent(instance.instance, CURVE_SECONDS);
    memory.lost = { end, unixMs: clock.unixMs(), monoMs: clock.monoMs(), seconds };
    memory.state = "lost";
    if (memory.bye !== null) this.#tookLeave(memory);
    else if (!this.#lookForEnd(memory)) setTimeout(() => this.#lookAgain(memory), FIRST_LOOK_MS).unref();
  }

  /** Looks at all that may have ended, and at the memory of some that live; called once a second. */
  tick(): void {
    for (const memory of this.#memories.values()) {
      if (memory.state === "connected") this.#pollCgroup(memory);
      else this.#lookForEnd(memory);
    }
    if (this.#memories.size === 0) this.#rest();
  }

  #watch(): void {
    if (this.#memories.size > 0 && !this.#isStopped)
      this.#timer ??= setInterval(() => this.tick(), TICK_MS).unref();
  }

  #rest(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Events for the seal that begins with batch `number`. */
  take(stream: string, number: number): AppEvent[] {
    const taken = this.#events.take(stream, number);
    if (taken.length > 0) this.#file.save();
    return taken;
  }

  /** Resolves when what was taken is marked so on the disk; await it before the batch is written. */
  saved(): Promise<void> {
    return this.#file.saved();
  }

  /** The seal that took events is committed. */
  sealed(): void {
    if (!this.#events.sealed()) return;
    this.#file.save();
    if (this.#events.pending.length > 0) this.#options.onEvent();
  }

  /** A process said goodbye, now or to an earlier daemon that could not note it any more. */
  #tookLeave(memory: InstanceMemory): void {
    const exitCode = memory.bye?.exitCode ?? null;
    this.#forget(memory);
    if (exitCode === null || exitCode === 0) return;
    const unixMs = memory.lost?.unixMs ?? memory.record.lastHeardUnixMs;
    this.#report({
      kind: "exit",
      memory,
      process: null,
      after: this.#readCounters(memory.record, unixMs),
      notBeforeUnixMs: memory.record.lastHeardUnixMs,
      notAfterUnixMs: unixMs,
      wasRestarted: false,
    });
  }

  #lookAgain(memory: InstanceMemory): void {
    if (!this.#isStopped && this.#memories.get(memory.record.instance) === memory) this.#lookForEnd(memory);
  }

  /** Decides about a process without a connection; false while it cannot be decided. */
  #lookForEnd(memory: InstanceMemory): boolean {
    if (memory.state === "connected") return true;
    if (memory.bye !== null) {
      this.#tookLeave(memory);
      return true;
    }
    const waitedMs = this.#options.clock.monoMs() - (memory.lost?.monoMs ?? this.#startMonoMs);
    if (memory.state === "absent" && waitedMs < ABSENT_LOOK_MS) return false;
    const { process } = memory.record;
    if (process === null) return this.#judgeForeign(memory, waitedMs);
    const state = this.#wasAnotherBoot(memory) ? null : readProcessState(this.#procRoot, process.pid);
    const isSame = state !== null && state.startTicks === process.startTicks;
    if (isSame && !state.isEnding) {
      if (waitedMs >= FORGET_LIVING_MS) this.#forget(memory);
      return false;
    }
    this.#died(memory, isSame ? state : null);
    return true;
  }

  #judgeForeign(memory: InstanceMemory, waitedMs: number): boolean {
    const isRefused = memory.lost?.end === "refused";
    const goneMs = memory.state === "absent" ? ABSENT_GONE_MS : isRefused ? REFUSED_GONE_MS : FOREIGN_GONE_MS;
    if (waitedMs < goneMs && !this.#wasAnotherBoot(memory)) return false;
    this.#died(memory, null);
    return true;
  }

  /** No process of a boot before this one can be there. */
  #wasAnotherBoot(memory: InstanceMemory): boolean {
    return memory.state === "absent" && this.#wasRestarted;
  }

  #died(memory: InstanceMemory, process: ProcessState | null): void {
    const wasAbsent = memory.state === "absent";
    const wasRestarted = this.#wasAnotherBoot(memory);
    const nowUnixMs = this.#options.clock.unixMs();
    this.#forget(memory);
    const isBusy = (memory.lastRuntime?.frame.inFlight.length ?? 0) > 0;
    if (!wasAbsent && !isBusy && isStopSignal(process?.signal ?? null)) {
      this.#options.settle(memory.record.instance, nowUnixMs);
      return;
    }
    const unixMs = memory.lost?.unixMs ?? nowUnixMs;
    this.#report({
      kind: wasAbsent ? "vanished" : "crash",
      memory,
      process,
      after: this.#readCounters(memory.record, nowUnixMs),
      notBeforeUnixMs: memory.record.lastHeardUnixMs,
      notAfterUnixMs: unixMs,
      wasRestarted,
    });
  }

  #report(ended: Omit<EndedProcess, "spansLost">): void {
    const { clock, journal, settle, statementTexts } = this.#options;
    const spansLost = settle(ended.memory.record.instance, clock.unixMs());
    const report = reportOf(journal, { ...ended, spansLost }, statementTexts());
    const event = this.#mayBeFull(report.app) ? report : leanEvent(report);
    this.#events.add(event);
    this.#file.saveInTurn();
    const { app, pid, kind, title } = event;
    this.#options.log.warn({ app, pid, kind }, `an app's process ended: ${title}`);
    this.#options.onEvent();
  }

  #mayBeFull(app: string): boolean {
    const now = this.#options.clock.monoMs();
    const counted = this.#full.get(app);
    if (counted !== undefined && now - counted.sinceMonoMs < FULL_REPORTS_EVERY_MS)
      return counted.reports++ < FULL_REPORTS;
    if (this.#full.size >= MAX_INSTANCES) this.#full.clear();
    this.#full.set(app, { sinceMonoMs: now, reports: 1 });
    return true;
  }

  #forget(memory: InstanceMemory): void {
    this.#memories.delete(memory.record.instance);
    this.#file.saveSoon();
  }

  /** As the kernel proved it, else as the app says and its start confirms; null when that pid is another's here. */
  #processOf({ pid, startTicks, startUnixMs }: AppInstance): WatchedRecord["process"] {
    if (startTicks !== null) return { pid, startTicks };
    const own = findOwnProcess(this.#procRoot, pid, startUnixMs);
    return own === null ? null : { pid, startTicks: own.startTicks };
  }

  async #findInContainer(memory: InstanceMemory): Promise<void> {
    const { pid, startUnixMs } = memory.record;
    const hostPid = await findContainerProcess(
      this.#procRoot,
      pid,
      (candidate) => findOwnProcess(this.#procRoot, candidate, startUnixMs) !== null,
    );
    const state = hostPid === null ? null : readProcessState(this.#procRoot, hostPid);
    if (hostPid === null || state === null || this.#isStopped) return;
    memory.record.process = { pid: hostPid, startTicks: state.startTicks };
    this.#lookAtCgroup(memory);
    this.#file.saveSoon();
  }

  #lookAtCgroup({ record }: InstanceMemory): void {
    if (record.process === null) return;
    record.cgroup = findMemoryCgroup(this.#procRoot, this.#cgroupRoot, record.process.pid);
    record.before = this.#readCounters(record, this.#options.clock.unixMs());
  }

  /** A process may be moved to another cgroup after it began, so its place is looked up each time. */
  #pollCgroup(memory: InstanceMemory): void {
    const { record } = memory;
    if (record.before === null || this.#options.clock.unixMs() - record.before.unixMs < POLL_MS) return;
    const before = record.before;
    this.#lookAtCgroup(memory);
    const hasNews =
      before.oomKills !== record.before?.oomKills || before.hostOomKills !== record.before?.hostOomKills;
    if (hasNews) this.#file.saveSoon();
  }

  #readCounters(record: WatchedRecord, unixMs: number): MemoryCounters {
    return readMemoryCounters(this.#procRoot, this.#cgroupRoot, record.cgroup, unixMs);
  }

  #state(): BlackBoxState {
    return {
      version: 1,
      bootId: this.#bootId,
      watched: [...this.#memories.values()].map(({ record }) => record),
      pending: [...this.#events.pending],
      recent: [...this.#events.recent],
    };
  }
}
