import type { OperationCategory, SpanView, VerdictTime } from "@apm-daemon/protocol";
import { IntervalUnion } from "../aggregate/interval-union.ts";
import type { Operation } from "../aggregate/operation.ts";
import { SpanPlan } from "../aggregate/span-plan.ts";

/** Different targets of one request that are told apart, and operations of each; the rest counts for its category alone. */
const MAX_TARGETS = 32;
const MAX_OPERATIONS = 64;

/** What a request waited for at one place. */
export interface Wait {
  category: OperationCategory;
  target: string;
  /** What took longest there: the statement's fingerprint, or the operation's name. */
  operation: string;
  /** Of the request's time, in which a call to it ran. */
  ratio: number;
}

/** Where the time of a request went; ratios of its duration. */
export interface TimeUse {
  code: number;
  /** Before the app saw it, so beside the duration; at most 1. */
  queue: number;
  /** By category, an instant at which several ran in the first of database, cache, external. */
  waiting: Readonly<Record<OperationCategory, number>>;
  /** Longest first. */
  waits: Wait[];
}

interface Target {
  category: OperationCategory;
  target: string;
  union: IntervalUnion;
  operations: Map<Operation, number>;
}

/** Gathers where the time of one process's part of a trace went, span by span. */
export class RequestTime {
  readonly #database = new IntervalUnion();
  readonly #databaseOrCache = new IntervalUnion();
  readonly #any = new IntervalUnion();
  readonly #targets = new Map<string, Target>();
  #startUs = 0;
  #endUs = 0;
  #queueUs = 0;

  addRoot(span: SpanView, endUs: number): void {
    this.#endUs = endUs;
    this.#startUs = endUs - span.durationNs / 1_000;
    this.#queueUs = new SpanPlan(span.shape).queueUs;
  }

  addCall(operation: Operation, endUs: number, durationUs: number): void {
    const { category, target } = operation;
    const startUs = endUs - durationUs;
    this.#any.add(startUs, endUs);
    if (category !== "external") this.#databaseOrCache.add(startUs, endUs);
    if (category === "database") this.#database.add(startUs, endUs);
    const known = this.#target(category, target);
    if (known === null) return;
    known.union.add(startUs, endUs);
    const { operations } = known;
    const sumUs = operations.get(operation);
    if (sumUs !== undefined || operations.size < MAX_OPERATIONS)
      operations.set(operation, (sumUs ?? 0) + durationUs);
  }

  /** Null when the request's own span was not there. */
  use(): TimeUse | null {
    const durationUs = this.#endUs - this.#startUs;
    if (this.#endUs === 0) return null;
    const ratio = (union: IntervalUnion): number =>
      durationUs > 0 ? Math.min(1, union.lengthWithin(this.#startUs, this.#endUs) / durationUs) : 0;
    const any = ratio(this.#any);
    const databaseOrCache = Math.min(any, ratio(this.#databaseOrCache));
    const database = Math.min(databaseOrCache, ratio(this.#database));
    const waits = [...this.#targets.values()].map(
      ({ category, target, union, operations }): Wait => ({
        category,
        target,
        operation: longest(operations),
        ratio: ratio(union),
      }),
    );
    return {
      code: 1 - any,
      queue: durationUs > 0 ? Math.min(1, this.#queueUs / durationUs) : 0,
      waiting: { database, cache: databaseOrCache - database, external: any - databaseOrCache },
      waits: waits.sort((a, b) => b.ratio - a.ratio),
    };
  }

  #target(category: OperationCategory, target: string): Target | null {
    const key = `${category}\n${target}`;
    let known = this.#targets.get(key);
    if (known === undefined) {
      if (this.#targets.size >= MAX_TARGETS) return null;
      known = { category, target, union: new IntervalUnion(), operations: new Map() };
      this.#targets.set(key, known);
    }
    return known;
  }
}

/** The part that took the most. */
export function mostTime({ code, queue, waiting, waits }: TimeUse): VerdictTime {
  const parts = { code, queue, ...waiting };
  const names = Object.keys(parts) as (keyof typeof parts)[];
  const part = names.reduce((most, name) => (parts[name] > parts[most] ? name : most));
  const target = waits.find(({ category }) => category === part)?.target ?? "";
  return { part, ratio: parts[part], target };
}

function longest(operations: ReadonlyMap<Operation, number>): string {
  let most: Operation | null = null;
  let mostUs = -1;
  for (const [operation, sumUs] of operations) {
    if (sumUs <= mostUs) continue;
    most = operation;
    mostUs = sumUs;
  }
  return most === null ? "" : most.fingerprint || most.operation;
}
