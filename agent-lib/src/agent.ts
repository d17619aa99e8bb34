import { AsyncLocalStorage } from "node:async_hooks";
import { randomBytes } from "node:crypto";
import {
  type AgentSettings,
  DEFAULT_AGENT_SETTINGS,
  DEFAULT_SLOW_STATEMENT_MS,
  type ExceptionText,
  type RecordingLevel,
} from "@apm-daemon/protocol";
import { type Context, context, propagation, trace } from "@opentelemetry/api";
import { AgentLog } from "./agent-log.ts";
import type { InstrumentationParts, Trust } from "./instrumentation/instrumentation-parts.ts";
import { instrumentAll } from "./instrumentation/instrumentations.ts";
import { LibraryHook } from "./instrumentation/library-hook.ts";
import { OpenRequests } from "./instrumentation/open-requests.ts";
import { Patches } from "./instrumentation/patches.ts";
import { DaemonLink, type LinkState, MAX_DAEMON_MESSAGE_BYTES } from "./link/daemon-link.ts";
import type { SocketPlaces } from "./link/default-sockets.ts";
import { BUFFER_BYTES_BESIDE_RING, SpanBuffer } from "./link/span-buffer.ts";
import { OverheadContract } from "./overhead/overhead-contract.ts";
import { RuntimeMetrics } from "./runtime-metrics.ts";
import { slowStatements } from "./sql/slow-statements.ts";
import { Statements } from "./sql/statements.ts";
import { nowMs } from "./tracer/clock.ts";
import { StorageContextManager } from "./tracer/context-manager.ts";
import { describeException } from "./tracer/exception.ts";
import { KeyPolicies } from "./tracer/key-policy.ts";
import { RandomIds } from "./tracer/random-ids.ts";
import { SpanRules } from "./tracer/span-rules.ts";
import { TraceContextPropagator } from "./tracer/trace-context.ts";
import { ApmTracerProvider } from "./tracer/tracer-provider.ts";

export interface AgentOptions {
  readonly appName: string;
  /** Where the app's main script is. */
  readonly appFolder: string;
  /** Where the daemon's socket may be. */
  readonly sockets: SocketPlaces;
  /** How statements are recorded until the daemon says otherwise. */
  readonly sql: AgentSettings["sql"];
  readonly trust: Trust;
  /** Memory for spans that the daemon has not acknowledged, all buffers together; at least MIN_BUFFER_BYTES. */
  readonly bufferBytes: number;
  /** Most share of the process's processor time; 0: without limit, null: as the daemon says. */
  readonly overheadBudgetRatio: number | null;
  readonly version: string;
  readonly writeLog: (line: string) => void;
}

/** An app that catches all may clean up for this long before it ends. */
const UNCAUGHT_WITHIN_MS = 10_000;

/** State of a running agent, for people who ask. */
export interface AgentStatus {
  readonly link: LinkState;
  readonly instance: string;
  readonly spansCreated: number;
  readonly spansDropped: number;
  /** Memory for spans: what waits for the daemon, the current frame, buffers kept for the next ones. */
  readonly bufferBytes: number;
  readonly internalErrors: number;
  /** What is recorded now, and what recording everything costs, as a share of this process's processor time. */
  readonly recording: RecordingLevel;
  readonly overheadRatio: number;
}

const LESS: Readonly<Record<Exclude<RecordingLevel, "everything">, string>> = {
  errors_and_slow: "records requests, errors and slow calls alone",
  requests: "records requests alone",
};

/** Below this not one frame would fit into the ring beside the other buffers. */
export const MIN_BUFFER_BYTES = 524_288;

/** The agent of this process: puts its parts together, in the order in which data flows. */
export class Agent {
  readonly #patches: Patches;
  readonly #log: AgentLog;
  readonly #storage = new AsyncLocalStorage<Context>();
  readonly #requests = new OpenRequests();
  readonly #contract: OverheadContract;
  readonly #ownBudgetRatio: number | null;
  readonly #buffer: SpanBuffer;
  readonly #link: DaemonLink;
  readonly #runtime: RuntimeMetrics;
  readonly #parts: InstrumentationParts;
  readonly #statements = new Statements();
  readonly #instance = randomBytes(16).toString("hex");
  /** What nobody caught: maybe the reason why the process ends. */
  #uncaught: { error: ExceptionText; monoMs: number } | null = null;
  readonly #onExit = (code: number): void => this.#exit(code);
  readonly #onUncaught = (error: unknown): void => this.#noteUncaught(error);

  constructor(options: AgentOptions) {
    this.#log = new AgentLog(options.writeLog);
    this.#patches = new Patches(this.#log);
    this.#ownBudgetRatio = options.overheadBudgetRatio;
    this.#contract = new OverheadContract({
      cpuUsage: () => process.cpuUsage(),
      monoMs: nowMs,
      onStep: (level, ratio) => this.#tellStep(level, ratio),
    });
    const besideRing = BUFFER_BYTES_BESIDE_RING + 2 * MAX_DAEMON_MESSAGE_BYTES;
    this.#buffer = new SpanBuffer(options.bufferBytes - besideRing, this.#log, this.#contract, () =>
      this.#link.send(),
    );
    this.#link = new DaemonLink({
      sockets: options.sockets,
      ring: this.#buffer.ring,
      identity: {
        app: options.appName,
        instance: this.#instance,
        pid: process.pid,
        startUnixMs: Math.round(performance.timeOrigin),
        runtime: `node ${process.versions.node}`,
        agentVersion: options.version,
      },
      log: this.#log,
      onSettings: (settings) => this.#apply(settings),
      onAcknowledged: () => this.#buffer.reportDrops(),
    });
    this.#runtime = new RuntimeMetrics({
      isConnected: () => this.#link.state === "ready",
      spansCreated: () => this.#buffer.created,
      spansDropped: () => this.#buffer.dropped,
      slowRequests: (atMs, most) => this.#requests.slow(atMs, most),
      contract: this.#contract,
      send: (frame) => this.#buffer.addRuntime(frame),
    });
    const provider = new ApmTracerProvider({
      shapes: this.#buffer.encoder.shapes,
      sink: this.#buffer,
      rules: new SpanRules(new KeyPolicies(), this.#statements),
      ids: new RandomIds(),
      storage: this.#storage,
    });
    this.#parts = {
      provider,
      storage: this.#storage,
      requests: this.#requests,
      patches: this.#patches,
      libraries: new LibraryHook(this.#log, options.appFolder),
      log: this.#log,
      trust: options.trust,
      statements: this.#statements,
    };
    this.#apply({ ...DEFAULT_AGENT_SETTINGS, sql: options.sql });
  }

  get status(): AgentStatus {
    return {
      link: this.#link.state,
      instance: this.#instance,
      spansCreated: this.#buffer.created,
      spansDropped: this.#buffer.dropped,
      bufferBytes: this.#buffer.heldBytes,
      internalErrors: this.#log.internalErrors,
      recording: this.#contract.level,
      overheadRatio: this.#contract.agentRatio,
    };
  }

  start(): void {
    const { provider, libraries } = this.#parts;
    if (!trace.setGlobalTracerProvider(provider))
      this.#log.sayOnce(
        "provider",
        "this app has another OpenTelemetry provider already; manual spans go there",
      );
    context.setGlobalContextManager(new StorageContextManager(this.#storage));
    propagation.setGlobalPropagator(new TraceContextPropagator());
    instrumentAll(this.#parts);
    libraries.install(this.#patches);
    this.#runtime.start();
    this.#link.start();
    process.on("exit", this.#onExit);
    process.on("uncaughtExceptionMonitor", this.#onUncaught);
  }

  /** Sends what is left, takes all patches back and closes the connection. */
  stop(): void {
    this.#patches.undo();
    this.#runtime.stop();
    this.#buffer.finish(null);
    this.#link.stop();
    process.off("exit", this.#onExit);
    process.off("uncaughtExceptionMonitor", this.#onUncaught);
    trace.disable();
    context.disable();
    propagation.disable();
  }

  #apply(settings: AgentSettings): void {
    this.#statements.mode = settings.sql;
    slowStatements.thresholdMs = settings.slowStatementMs ?? DEFAULT_SLOW_STATEMENT_MS;
    this.#buffer.flushIntervalMs = settings.flushIntervalMs;
    this.#contract.budgetRatio = this.#ownBudgetRatio ?? settings.overheadBudgetRatio;
  }

  #tellStep(level: RecordingLevel, ratio: number): void {
    const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
    const { budgetRatio } = this.#contract;
    this.#log.sayOnce(
      `records ${level}`,
      level === "everything"
        ? "records everything again"
        : `recording everything costs ${percent(ratio)} of this process's processor time, ${percent(budgetRatio)} are allowed: ${LESS[level]}; what is left out is counted. APM_OVERHEAD_BUDGET=0 lifts the limit`,
    );
  }

  #exit(code: number): void {
    try {
      this.#requests.endBroken();
      this.#buffer.finish(code, this.#lastError(), () => this.#link.sendAtExit());
      this.#link.sendAtExit();
    } catch (error) {
      this.#log.internalError("exit", error);
    }
  }

  /** Null when what was uncaught cannot be why the process ends: the app went on after it. */
  #lastError(): ExceptionText | null {
    const isRecent =
      this.#uncaught !== null && performance.now() - this.#uncaught.monoMs < UNCAUGHT_WITHIN_MS;
    return isRecent ? (this.#uncaught?.error ?? null) : null;
  }

  /** Runs before the process dies of it; changes nothing about that. */
  #noteUncaught(error: unknown): void {
    try {
      this.#uncaught = { error: describeException(error), monoMs: performance.now() };
      const active = this.#storage.getStore();
      const request = active === undefined ? undefined : this.#requests.inContext(active);
      if (request !== undefined) request.error ??= error;
    } catch (internal) {
      this.#log.internalError("uncaught exception", internal);
    }
  }
}
