import type { SlowStatementRow } from "@apm-daemon/protocol";
import type { Operation } from "./operation.ts";

/** A call to a database that took long. */
export interface SlowCall {
  operation: Operation;
  endUnixMs: number;
  durationUs: number;
  isError: boolean;
  traceId: string;
  stack: string;
}

/** Of one app and window: the slowest statements stay. */
const MAX_SLOW_STATEMENTS = 50;

/** The slowest call of each statement by each action, of one app in one window. */
export class SlowStatements {
  readonly #calls = new Map<string, { action: string; call: SlowCall }>();

  add(action: string, call: SlowCall): void {
    const { fingerprint, operation, target } = call.operation;
    const key = [fingerprint, operation, target, action].join("\n");
    const known = this.#calls.get(key);
    if (known !== undefined) {
      const [slower, other] =
        call.durationUs > known.call.durationUs ? [call, known.call] : [known.call, call];
      // The first slow call of a statement has no stack; that of another one says the same.
      known.call = { ...slower, stack: slower.stack || other.stack };
    } else if (this.#calls.size < MAX_SLOW_STATEMENTS || this.#makeRoom(call.durationUs))
      this.#calls.set(key, { action, call });
  }

  get size(): number {
    return this.#calls.size;
  }

  rows(app: string): SlowStatementRow[] {
    return [...this.#calls.values()].map(({ action, call: { operation, isError, ...call } }) => ({
      ...call,
      app,
      action,
      system: operation.system,
      target: operation.target,
      operation: operation.operation,
      statement: operation.fingerprint,
      text: operation.statement,
      error: isError,
    }));
  }

  /** Lets the fastest go, if it is faster than that. */
  #makeRoom(durationUs: number): boolean {
    let fastest = "";
    let fastestUs = durationUs;
    for (const [key, { call }] of this.#calls) {
      if (call.durationUs >= fastestUs) continue;
      fastest = key;
      fastestUs = call.durationUs;
    }
    return this.#calls.delete(fastest);
  }
}
