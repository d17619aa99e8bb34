import { AsyncLocalStorage } from "node:async_hooks";
import {
  type AgentSettings,
  DEFAULT_AGENT_SETTINGS,
  DEFAULT_SLOW_STATEMENT_MS,
  type Deployment,
  type LibrariesReport,
  MAX_COUNTERS_PER_FRAME,
  type RecordingLevel,
} from "@apm-daemon/protocol";
import { type Context, context, propagation, trace } from "@opentelemetry/api";
import { AgentLog } from "./agent-log.ts";
import { type ActionOptions, type ActionParts, runAction } from "./api/action.ts";
import type { Counters } from "./api/counters.ts";
import { markRequest, UserPseudonyms } from "./api/current-request.ts";
import { OpenActions } from "./api/open-actions.ts";
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
import { KeyPolicies } from "./tracer/key-policy.ts";
import { hexOf, RandomIds } from "./tracer/random-ids.ts";
import { SpanRules } from "./tracer/span-rules.ts";
import { TraceContextPropagator } from "./tracer/trace-context.ts";
import { ApmTracerProvider } from "./tracer/tracer-provider.ts";
import { UncaughtErrors } from "./uncaught-errors.ts";

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
  readonly deployment: Deployment;
  /** Secret of the app for its users' pseudonyms, "" for none. */
  readonly userSalt: string;
  readonly counters: Counters;
  readonly writeLog: (line: string) => void;
}

/** State of a running agent, for people who ask. */
export interface AgentStatus {
  readonly link: LinkState;
  readonly instance: string;
  readonly spansCreated: number;
  readonly spansDropped: number;
  /** Memory for spans: what waits for the daemon, the current frame, buffers kept for the next ones. */
  readonly bufferBytes: number;
  /** Frames that the daemon has not acknowledged yet: they are sent again when it comes back. */
  readonly framesUnacknowledged: number;
  readonly internalErrors: number;
  /** Libraries that the agent knows, as it found them in this process, and what bundled the main script, if anything did. */
  readonly libraries: LibrariesReport;
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
  readonly #openActions = new OpenActions();
  readonly #contract: OverheadContract;
  readonly #ownBudgetRatio: number | null;
  readonly #libraries: LibraryHook;
  readonly #buffer: SpanBuffer;
  readonly #link: DaemonLink;
  readonly #runtime: RuntimeMetrics;
  readonly #parts: InstrumentationParts;
  readonly #statements = new Statements();
  readonly #actions: ActionParts;
  readonly #users: UserPseudonyms;
  readonly #ids = new RandomIds();
  readonly #instance = Array.from({ length: 4 }, () => hexOf(this.#ids.next())).join("");
  readonly #uncaught: UncaughtErrors;
  readonly #onExit = (code: number): void => this.#exit(code);

  constructor(options: AgentOptions) {
    this.#log = new AgentLog(options.writeLog);
    this.#patches = new Patches(this.#log);
    this.#libraries = new LibraryHook(this.#log, options.appFolder);
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
        ...options.deployment,
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
      counters: options.counters,
      libraries: this.#libraries.found,
      send: (frame) => this.#buffer.addRuntime(frame),
    });
    const provider = new ApmTracerProvider({
      shapes: this.#buffer.encoder.shapes,
      sink: this.#buffer,
      rules: new SpanRules(new KeyPolicies(), this.#statements),
      ids: this.#ids,
      storage: this.#storage,
    });
    this.#parts = {
      provider,
      storage: this.#storage,
      requests: this.#requests,
      actions: this.#openActions,
      patches: this.#patches,
      libraries: this.#libraries,
      log: this.#log,
      trust: options.trust,
      statements: this.#statements,
    };
    this.#actions = {
      tracer: provider.tracer("apm-daemon"),
      storage: this.#storage,
      open: this.#openActions,
      log: this.#log,
    };
    this.#uncaught = new UncaughtErrors({
      storage: this.#storage,
      requests: this.#requests,
      actions: this.#openActions,
      log: this.#log,
    });
    this.#users = new UserPseudonyms(options.userSalt, options.appName);
    options.counters.onTooMany = () =>
      this.#log.sayOnce(
        "counters",
        `the app uses more than ${MAX_COUNTERS_PER_FRAME} names of counters; further ones are not counted`,
      );
    this.#apply({ ...DEFAULT_AGENT_SETTINGS, sql: options.sql });
  }

  get status(): AgentStatus {
    return {
      link: this.#link.state,
      instance: this.#instance,
      spansCreated: this.#buffer.created,
      spansDropped: this.#buffer.dropped,
      bufferBytes: this.#buffer.heldBytes,
      framesUnacknowledged: this.#buffer.ring.nextSequence - this.#buffer.ring.firstHeld,
      internalErrors: this.#log.internalErrors,
      libraries: this.#libraries.found.report,
      recording: this.#contract.level,
      overheadRatio: this.#contract.agentRatio,
    };
  }

  action(name: string, work: () => unknown, options: ActionOptions): unknown {
    return runAction(this.#actions, name, work, options);
  }

  ignore(): void {
    markRequest(this.#storage.getStore(), { isIgnored: true });
  }

  setUser(id: string): void {
    markRequest(this.#storage.getStore(), { userId: this.#users.of(id) });
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
    libraries.found.lookLater(process.argv[1], () => libraries.packages);
    this.#runtime.start();
    this.#link.start();
    process.on("exit", this.#onExit);
    this.#uncaught.watch(this.#patches);
  }

  /** Sends what is left, takes all patches back and closes the connection. */
  stop(): void {
    this.#patches.undo();
    this.#runtime.sendCounters();
    this.#runtime.stop();
    this.#buffer.finish(null);
    this.#link.stop();
    process.off("exit", this.#onExit);
    trace.disable();
    context.disable();
    propagation.disable();
  }

  #apply(settings: AgentSettings): void {
    this.#statements.mode = settings.sql;
    slowStatements.thresholdMs = settings.slowStatementMs ?? DEFAULT_SLOW_STATEMENT_MS;
    this.#buffer.slowMs = slowStatements.thresholdMs;
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
      this.#openActions.endBroken();
      this.#runtime.sendCounters();
      this.#buffer.finish(code, this.#uncaught.last, () => this.#link.sendAtExit());
      this.#link.sendAtExit();
    } catch (error) {
      this.#log.internalError("exit", error);
    }
  }
}
