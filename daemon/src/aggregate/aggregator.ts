/**
 * Counts every span, whatever is kept of it. Works from journaled frames alone, in journal order, and asks neither clock nor
 * chance for anything it counts: replaying the same frames gives the same counters.
 *
 * Requests that are open across a seal: their spans were read before the seal, they are counted when the root ends, after
 * it. A replay therefore starts at the oldest open request (`oldestOpenPosition`), and at the sealed position the counters
 * are discarded while the open requests stay (`discardCounts`): nothing is lost, nothing counted twice.
 *
 * Requests that were given up before the seal are counted in it, although their frames may lie after the replay's start: then
 * the batch lists the requests that were open (`openAtSeal`), and the replay leaves all others out (`expectOpen`).
 */
import {
  type ActionRow,
  type CounterRow,
  decodeSpans,
  decodeSpansHeader,
  type ErrorRow,
  type Gap,
  type LedgerRow,
  type OperationCategory,
  type OperationRow,
  ProtocolError,
  type RuntimeFrame,
  type SlowStatementRow,
  type SpanView,
  type StatementRow,
} from "@apm-daemon/protocol";
import type { TraceCandidate } from "../traces/trace-keeper.ts";
import { AppCounters } from "./app-counters.ts";
import { labelUs } from "./label-time.ts";
import type { AgentCounts, LedgerSource, LossLedger } from "./loss-ledger.ts";
import { OpenRequest } from "./open-request.ts";
import { type Operation, OperationTable } from "./operation.ts";
import { spanErrorOf } from "./span-error.ts";
import { isCall, SpanPlan } from "./span-plan.ts";
import { AppWindow, WINDOW_SEC } from "./window.ts";

export interface AggregatorOptions {
  limits: { actionsPerApp: number; operationsPerApp: number; openTraces: number };
  /** Apdex threshold of an app, µs. */
  apdexTUs: (app: string) => number;
  /** Calls to databases that take that long are told one by one. */
  slowStatementUs: () => number;
  traces: { offer(candidate: TraceCandidate): void };
  ledger: LossLedger;
  /** Called when an app is counted for the first time since start. */
  onNewApp: (app: string) => void;
  /** Told of each request as it is counted. */
  onRequest?: (app: string, durationUs: number, isError: boolean) => void;
  /** Told of the statements of each drain, with their texts, wherever these may go. */
  onStatements?: (rows: readonly StatementRow[]) => void;
}

/** The process that sent a frame. */
export type FrameSource = LedgerSource;

export interface DrainedCounts {
  actions: ActionRow[];
  operations: OperationRow[];
  statements: StatementRow[];
  errors: ErrorRow[];
  counters: CounterRow[];
  slowStatements: SlowStatementRow[];
  ledger: LedgerRow[];
}

/** Requests open for longer give up their spans' calls to "(unfinished)". */
const MAX_OPEN_MS = 900_000;
/** Statement texts are sent again after this many seals, since the collector forgets old ones. */
const STATEMENTS_RESENT_AFTER_DRAINS = 360;
const MAX_STATEMENTS_REMEMBERED = 20_000;
/** What open requests may hold together, in calls and intervals of about 50 bytes; beyond it the oldest is given up. */
const MAX_OPEN_WEIGHT = 500_000;

interface FrameContext {
  source: FrameSource;
  position: number;
  receivedUnixMs: number;
  baseUnixUs: number;
  plans: SpanPlan[];
  spansSeen: number;
}

export class Aggregator {
  readonly #options: AggregatorOptions;
  readonly #windows = new Map<string, AppWindow>();
  readonly #operations = new Map<string, OperationTable>();
  readonly #counters = new AppCounters();
  /** In order of opening, so the first is the oldest. */
  readonly #open = new Map<string, OpenRequest>();
  #openWeight = 0;
  readonly #apps = new Set<string>();
  readonly #statementsSent = new Set<string>();
  /** Position of the frame at which a request was given up last. */
  #abandonedAt = -1;
  #position = 0;
  /** During a replay of frames before the seal: what was open there, by its key; null when all belongs. */
  #expectedOpen: ReadonlyMap<string, { position: number; span: number }> | null = null;
  #drains = 0;
  #requests = 0;

  constructor(options: AggregatorOptions) {
    this.#options = options;
  }

  /** Requests counted since start. */
  get requests(): number {
    return this.#requests;
  }

  /** What was counted since the last drain, in rows of numbers. */
  get heldRows(): number {
    let rows = this.#counters.heldRows;
    for (const window of this.#windows.values()) rows += 1 + window.heldRows;
    return rows;
  }

  get openRequests(): number {
    return this.#open.size;
  }

  /** Journal position from which a replay sees every open request whole; null when none is open. */
  get oldestOpenPosition(): number | null {
    for (const request of this.#open.values()) return request.positions[0] ?? null;
    return null;
  }

  /** The open requests with where they begin; undefined when a replay finds them by itself. */
  openAtSeal(): [key: string, firstPosition: number, firstSpan: number][] | undefined {
    if (this.#abandonedAt < (this.oldestOpenPosition ?? Number.POSITIVE_INFINITY)) return undefined;
    return [...this.#open].map(([key, { positions, firstSpan }]) => [key, positions[0] ?? 0, firstSpan]);
  }

  /** Begins a replay of frames before the seal; `discardCounts` ends it. */
  expectOpen(open: readonly (readonly [string, number, number])[] | undefined): void {
    this.#expectedOpen =
      open === undefined ? null : new Map(open.map(([key, position, span]) => [key, { position, span }]));
  }

  /** Counts a SPANS payload. A malformed one counts up to its first bad byte; the rest is in the ledger. */
  acceptSpans(source: FrameSource, payload: Buffer, position: number, receivedUnixMs: number): void {
    const { ledger } = this.#options;
    const frame: FrameContext = { source, position, receivedUnixMs, baseUnixUs: 0, plans: [], spansSeen: 0 };
    let announced = 0;
    this.#position = position;
    try {
      const header = decodeSpansHeader(payload);
      announced = Math.min(header.spans, payload.length);
      frame.baseUnixUs = header.baseUnixUs;
      decodeSpans(payload, (span) => this.#count(span, frame));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      const unread = Math.max(1, announced - frame.spansSeen);
      ledger.countFrame(source, receivedUnixMs, frame.spansSeen, unread);
      return;
    }
    ledger.countFrame(source, receivedUnixMs, frame.spansSeen, 0);
  }

  acceptGap(source: FrameSource, gap: Gap, receivedUnixMs: number): void {
    this.#options.ledger.countReported(source, receivedUnixMs, gap.dropped);
  }

  /** The agent's own count, from a RUNTIME or BYE frame. */
  acceptCounts(source: FrameSource, counts: AgentCounts, receivedUnixMs: number): void {
    this.#options.ledger.noteAgentCounts(source, receivedUnixMs, counts);
  }

  /** What the app counted itself, from a RUNTIME frame. */
  acceptCounters({ app }: FrameSource, { unixMs, counters }: RuntimeFrame, receivedUnixMs: number): void {
    if (counters !== undefined) this.#counters.add(app, unixMs, receivedUnixMs, counters);
  }

  /** Gives up requests that opened before a position or long ago; their calls are counted as "(unfinished)". */
  abandon(beforePosition: number, nowUnixMs: number): void {
    for (const [key, request] of this.#open) {
      const isOld =
        (request.positions[0] ?? 0) < beforePosition || nowUnixMs - request.openedUnixMs > MAX_OPEN_MS;
      if (!isOld) break;
      this.#abandon(key, request, nowUnixMs);
    }
  }

  /** Forgets what was counted; open requests stay, and the ledger is its owner's to restore. */
  discardCounts(): void {
    this.#clear();
    // What was given up before the seal is so still, should the next batch be replayed from before it.
    if (this.#expectedOpen !== null) this.#abandonedAt = this.#position;
    this.#expectedOpen = null;
    this.#requests = 0;
  }

  /** Ends the interval: all rows counted since the last drain. */
  drain(): DrainedCounts {
    const windows = [...this.#windows.values()];
    const counts: DrainedCounts = {
      actions: windows.flatMap((window) => window.actionRows()),
      operations: windows.flatMap((window) => window.operationRows()),
      statements: this.#newStatements(),
      errors: windows.flatMap((window) => window.errorRows()),
      counters: this.#counters.rows(),
      slowStatements: windows.flatMap((window) => window.slowStatementRows()),
      ledger: this.#options.ledger.drain(),
    };
    this.#clear();
    return counts;
  }

  #clear(): void {
    this.#windows.clear();
    this.#operations.clear();
    this.#counters.clear();
  }

  #count(span: SpanView, frame: FrameContext): void {
    frame.spansSeen++;
    const plan = (frame.plans[span.shape.index] ??= new SpanPlan(span.shape));
    const role = plan.role;
    const endUs = frame.baseUnixUs + span.endOffsetNs / 1_000;
    if (span.isLocalRoot) this.#countRoot(span, plan, endUs, frame);
    else if (this.#isExpected(span, frame)) {
      const request = this.#openRequest(span, frame);
      request.seenIn(frame.position);
      if (span.extraJson !== "" && request.error === null) request.error = spanErrorOf(span);
      if (isCall(role))
        this.#addCall(request, span, plan, this.#operation(span, plan, role, frame), endUs, frame);
    }
  }

  #addCall(
    request: OpenRequest,
    span: SpanView,
    plan: SpanPlan,
    operation: Operation,
    endUs: number,
    frame: FrameContext,
  ): void {
    const weight = request.weight;
    request.addCall(operation, endUs, span.durationNs / 1_000, span.hasError, span.parentLo);
    this.#noteSlow(request, span, plan, operation, endUs, frame);
    this.#openWeight += request.weight - weight;
    if (this.#openWeight > MAX_OPEN_WEIGHT) this.#abandonOldest(frame.receivedUnixMs);
  }

  #countRoot(span: SpanView, plan: SpanPlan, endUs: number, frame: FrameContext): void {
    const role = plan.role;
    const durationUs = span.durationNs / 1_000;
    const request = this.#takeOpen(span, frame);
    request.seenIn(frame.position);
    // The app wants it left out, and its spans that came before with it.
    if (plan.isIgnored) return;
    const window = this.#window(frame.source.app, endUs, frame.receivedUnixMs);
    if (isCall(role)) {
      // A call outside of any request: it counts as an operation, not as an action.
      const operation = this.#operation(span, plan, role, frame);
      window.countCall("(none)", operation, durationUs, span.hasError);
      this.#noteSlow(request, span, plan, operation, endUs, frame);
      window.countCalls("(none)", request);
      return;
    }
    const action = window.actionName(span.name);
    const status = plan.status;
    const isError = span.hasError || status >= 500;
    const kind = role === "server" ? "web" : "background";
    const split = request.split(endUs, durationUs);
    const tUs = this.#options.apdexTUs(frame.source.app);
    window.countRequest({ action, kind, status, isError, durationUs, queueUs: plan.queueUs, split }, tUs);
    window.countCalls(action, request);
    this.#requests++;
    this.#options.onRequest?.(frame.source.app, durationUs, isError);
    if (isError) {
      const error = (span.extraJson === "" ? null : spanErrorOf(span)) ?? request.error;
      const shown = error ?? { type: status < 400 ? "Error" : `HTTP ${status}`, message: "", stack: "" };
      window.countError(action, shown, span.trace.traceId);
    }
    const { app, instance } = frame.source;
    this.#options.traces.offer({
      app,
      action,
      isError,
      durationUs,
      positions: request.positions,
      hasRepeat: () => request.hasRepeat(),
      summarise: (reason) => ({
        traceId: span.trace.traceId,
        rootSpanId: span.trace.rootSpanId,
        app,
        instance,
        action,
        kind,
        startUnixMs: Math.max(0, (labelUs(endUs, frame.receivedUnixMs) - durationUs) / 1_000),
        durationUs,
        status,
        error: isError,
        spans: request.spans,
        reason,
      }),
    });
  }

  #noteSlow(
    request: OpenRequest,
    span: SpanView,
    plan: SpanPlan,
    operation: Operation,
    endUs: number,
    frame: FrameContext,
  ): void {
    const durationUs = span.durationNs / 1_000;
    if (durationUs < this.#options.slowStatementUs() || operation.category !== "database") return;
    request.addSlowCall({
      operation,
      endUnixMs: Math.max(0, labelUs(endUs, frame.receivedUnixMs) / 1_000),
      durationUs,
      isError: span.hasError,
      traceId: span.trace.traceId,
      stack: plan.stack,
    });
  }

  /** False for a span whose request was given up before the seal: it is counted there. */
  #isExpected(span: SpanView, frame: FrameContext): boolean {
    if (this.#expectedOpen === null) return true;
    const first = this.#expectedOpen.get(openKey(span, frame));
    if (first === undefined || frame.position < first.position) return false;
    return frame.position > first.position || frame.spansSeen >= first.span;
  }

  #openRequest(span: SpanView, frame: FrameContext): OpenRequest {
    const key = openKey(span, frame);
    const known = this.#open.get(key);
    if (known !== undefined) return known;
    if (this.#open.size >= this.#options.limits.openTraces) this.#abandonOldest(frame.receivedUnixMs);
    const request = new OpenRequest(frame.source.app, frame.receivedUnixMs, frame.spansSeen);
    this.#open.set(key, request);
    return request;
  }

  #takeOpen(span: SpanView, frame: FrameContext): OpenRequest {
    const key = openKey(span, frame);
    const known = this.#open.get(key);
    if (known === undefined) return new OpenRequest(frame.source.app, frame.receivedUnixMs);
    this.#open.delete(key);
    this.#openWeight -= known.weight;
    return known;
  }

  #abandonOldest(nowUnixMs: number): void {
    for (const [key, request] of this.#open) {
      this.#abandon(key, request, nowUnixMs);
      return;
    }
  }

  #abandon(key: string, request: OpenRequest, nowUnixMs: number): void {
    this.#open.delete(key);
    this.#abandonedAt = this.#position;
    this.#openWeight -= request.weight;
    this.#window(request.app, request.openedUnixMs * 1_000, nowUnixMs).countCalls("(unfinished)", request);
  }

  #operation(span: SpanView, plan: SpanPlan, category: OperationCategory, frame: FrameContext): Operation {
    const { app } = frame.source;
    let table = this.#operations.get(app);
    if (table === undefined) {
      table = new OperationTable(this.#options.limits.operationsPerApp);
      this.#operations.set(app, table);
    }
    return table.find(plan, category, span.name);
  }

  #window(app: string, endUnixUs: number, receivedUnixMs: number): AppWindow {
    const tsSec = Math.floor(labelUs(endUnixUs, receivedUnixMs) / 1e6 / WINDOW_SEC) * WINDOW_SEC;
    const key = `${tsSec} ${app}`;
    let window = this.#windows.get(key);
    if (window === undefined) {
      window = new AppWindow(tsSec, app, this.#options.limits.actionsPerApp);
      this.#windows.set(key, window);
      this.#noteApp(app);
    }
    return window;
  }

  #noteApp(app: string): void {
    if (this.#apps.has(app)) return;
    this.#apps.add(app);
    this.#options.onNewApp(app);
  }

  #newStatements(): StatementRow[] {
    if (++this.#drains % STATEMENTS_RESENT_AFTER_DRAINS === 0) this.#statementsSent.clear();
    const rows: StatementRow[] = [];
    const told = new Set<string>();
    for (const [key, window] of this.#windows) {
      const app = key.slice(key.indexOf(" ") + 1);
      for (const { fingerprint, system, statement } of window.operations()) {
        const id = `${fingerprint} ${app}`;
        if (fingerprint === "" || this.#statementsSent.has(id) || told.has(id)) continue;
        told.add(id);
        if (this.#statementsSent.size < MAX_STATEMENTS_REMEMBERED) this.#statementsSent.add(id);
        rows.push({ fingerprint, app, system, text: statement });
      }
    }
    this.#options.onStatements?.(rows);
    return rows;
  }
}

/** Identity of an open request: the process and the root's span id. */
function openKey(span: SpanView, frame: FrameContext): string {
  return `${frame.source.instance}${span.trace.rootHi}.${span.trace.rootLo}`;
}
