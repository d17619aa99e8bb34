import {
  type ActionKind,
  type ActionRow,
  apdexZone,
  type ErrorRow,
  type OperationRow,
  type SlowStatementRow,
} from "@apm-daemon/protocol";
import { DurationCounter } from "./duration-counter.ts";
import type { OpenRequest, TimeSplit } from "./open-request.ts";
import { type Operation, OTHER_OPERATIONS } from "./operation.ts";
import { shortened } from "./shortened.ts";
import { SlowStatements } from "./slow-statements.ts";
import { errorGroupOf, type SpanError } from "./span-error.ts";

/** Counters live in windows of this length, aligned to the wall clock. */
export const WINDOW_SEC = 10;
/** Distinct errors kept per app and window; the rest is counted on the actions all the same. */
const MAX_ERROR_GROUPS = 200;
/** Distinct pairs of action and operation kept per app and window; calls of the others are "(other)" of their category. */
const MAX_CALL_PAIRS = 20_000;

export interface FinishedRequest {
  action: string;
  kind: ActionKind;
  status: number;
  isError: boolean;
  durationUs: number;
  queueUs: number;
  split: TimeSplit;
}

/** An error row carries a stack, and so does a slow statement: it weighs as much as several rows of numbers. */
const ROWS_PER_ERROR = 8;

/** The counters of one app in one 10 s window. Additive: a window that is drained early goes on from zero. */
export class AppWindow {
  readonly #tsSec: number;
  readonly #app: string;
  readonly #maxActions: number;
  readonly #actions = new Map<string, Map<number, ActionCounter>>();
  readonly #operations = new Map<string, Map<Operation, DurationCounter>>();
  #callPairs = 0;
  #statusPairs = 0;
  readonly #errors = new Map<string, ErrorRow>();
  readonly #slow = new SlowStatements();

  constructor(tsSec: number, app: string, maxActions: number) {
    this.#tsSec = tsSec;
    this.#app = app;
    this.#maxActions = maxActions;
  }

  /** How much this window holds, in rows of numbers. */
  get heldRows(): number {
    return this.#callPairs + this.#statusPairs + (this.#errors.size + this.#slow.size) * ROWS_PER_ERROR;
  }

  /** The name under which a root span is counted: its own, or "(other)" when there are too many. */
  actionName(spanName: string): string {
    const action = spanName === "" ? "(unnamed)" : shortened(spanName);
    return this.#actions.has(action) || this.#actions.size < this.#maxActions ? action : "(other)";
  }

  countRequest(request: FinishedRequest, apdexTUs: number): void {
    let byStatus = this.#actions.get(request.action);
    if (byStatus === undefined) {
      byStatus = new Map();
      this.#actions.set(request.action, byStatus);
    }
    // Web and background work of one name differ in the sign of the key, so one lookup serves both.
    const key = request.kind === "web" ? request.status : -1 - request.status;
    let counter = byStatus.get(key);
    if (counter === undefined) {
      counter = new ActionCounter(request.kind, request.status);
      byStatus.set(key, counter);
      this.#statusPairs++;
    }
    counter.add(request, apdexTUs);
  }

  countCalls(action: string, request: OpenRequest): void {
    for (const { operation, durationUs, isError } of request.calls)
      this.#operation(action, operation).add(durationUs, isError);
    for (const [operation, counter] of request.foldedCalls) this.#operation(action, operation).merge(counter);
    for (const call of request.slowCalls) this.#slow.add(action, call);
  }

  countCall(action: string, operation: Operation, durationUs: number, isError: boolean): void {
    this.#operation(action, operation).add(durationUs, isError);
  }

  countError(action: string, error: SpanError, traceId: string): void {
    const group = errorGroupOf(error);
    const known = this.#errors.get(`${group} ${action}`);
    if (known !== undefined) known.count++;
    else if (this.#errors.size < MAX_ERROR_GROUPS) {
      this.#errors.set(`${group} ${action}`, {
        tsSec: this.#tsSec,
        app: this.#app,
        action,
        group,
        ...error,
        count: 1,
        traceId,
      });
    }
  }

  actionRows(): ActionRow[] {
    const rows: ActionRow[] = [];
    for (const [action, byStatus] of this.#actions) {
      for (const counter of byStatus.values()) rows.push(counter.row(this.#tsSec, this.#app, action));
    }
    return rows;
  }

  operationRows(): OperationRow[] {
    const rows: OperationRow[] = [];
    for (const [action, byOperation] of this.#operations) {
      for (const [{ category, system, target, operation, fingerprint }, counter] of byOperation) {
        const { count: calls, errors, sumUs, maxUs } = counter;
        const key = {
          tsSec: this.#tsSec,
          app: this.#app,
          action,
          category,
          system,
          target,
          operation,
          statement: fingerprint,
        };
        rows.push({ ...key, calls, errors, sumUs, maxUs, histogram: counter.histogram() });
      }
    }
    return rows;
  }

  errorRows(): ErrorRow[] {
    return [...this.#errors.values()];
  }

  slowStatementRows(): SlowStatementRow[] {
    return this.#slow.rows(this.#app);
  }

  /** Operations counted in this window. */
  *operations(): Iterable<Operation> {
    for (const byOperation of this.#operations.values()) yield* byOperation.keys();
  }

  #operation(action: string, operation: Operation): DurationCounter {
    const known = this.#operations.get(action)?.get(operation);
    if (known !== undefined) return known;
    if (this.#callPairs < MAX_CALL_PAIRS) {
      this.#callPairs++;
      return this.#addOperation(action, operation);
    }
    const other = OTHER_OPERATIONS[operation.category];
    return this.#operations.get("(other)")?.get(other) ?? this.#addOperation("(other)", other);
  }

  #addOperation(action: string, operation: Operation): DurationCounter {
    let byOperation = this.#operations.get(action);
    if (byOperation === undefined) {
      byOperation = new Map();
      this.#operations.set(action, byOperation);
    }
    const counter = new DurationCounter();
    byOperation.set(operation, counter);
    return counter;
  }
}

class ActionCounter {
  readonly #kind: ActionKind;
  readonly #status: number;
  readonly #durations = new DurationCounter();
  readonly #zones = { satisfied: 0, tolerating: 0, frustrated: 0 };
  readonly #split: TimeSplit = { databaseUs: 0, cacheUs: 0, externalUs: 0, codeUs: 0 };
  #queueUs = 0;

  constructor(kind: ActionKind, status: number) {
    this.#kind = kind;
    this.#status = status;
  }

  add(request: FinishedRequest, apdexTUs: number): void {
    this.#durations.add(request.durationUs, request.isError);
    this.#zones[apdexZone(request.durationUs, request.isError, apdexTUs)]++;
    this.#split.databaseUs += request.split.databaseUs;
    this.#split.cacheUs += request.split.cacheUs;
    this.#split.externalUs += request.split.externalUs;
    this.#split.codeUs += request.split.codeUs;
    this.#queueUs += request.queueUs;
  }

  row(tsSec: number, app: string, action: string): ActionRow {
    const { count: requests, errors, sumUs, maxUs } = this.#durations;
    return {
      tsSec,
      app,
      action,
      kind: this.#kind,
      status: this.#status,
      requests,
      errors,
      ...this.#zones,
      sumUs,
      maxUs,
      ...this.#split,
      queueUs: this.#queueUs,
      histogram: this.#durations.histogram(),
    };
  }
}
