import type { OperationCategory } from "@apm-daemon/protocol";
import { DurationCounter } from "./duration-counter.ts";
import { IntervalUnion } from "./interval-union.ts";
import type { Operation } from "./operation.ts";
import type { SpanError } from "./span-error.ts";

/** Calls kept one by one; more are folded into a counter per operation, so that endless work stays bounded. */
const MAX_SINGLE_CALLS = 1_000;
/** Frames remembered per request: enough for late sampling of any request that is worth looking at. */
const MAX_POSITIONS = 4_096;

export interface TimeSplit {
  databaseUs: number;
  cacheUs: number;
  externalUs: number;
  codeUs: number;
}

/**
 * The spans of one local root that have ended while the root itself has not.
 *
 * Time split: an instant at which calls of several categories run belongs to the first of database, cache, external; so the
 * parts never exceed the whole. Hence three unions: database, database or cache, any.
 */
export class OpenRequest {
  readonly app: string;
  readonly openedUnixMs: number;
  /** Which span of its first frame is its first, counted from 1. */
  readonly firstSpan: number;
  /** Journal positions of the frames with spans of this request, ascending. */
  readonly positions: number[] = [];
  readonly calls: { operation: Operation; durationUs: number; isError: boolean }[] = [];
  readonly foldedCalls: Map<Operation, DurationCounter> = new Map();
  error: SpanError | null = null;
  spans = 0;
  #database: IntervalUnion | null = null;
  #databaseOrCache: IntervalUnion | null = null;
  #any: IntervalUnion | null = null;

  constructor(app: string, openedUnixMs: number, firstSpan: number = 1) {
    this.app = app;
    this.openedUnixMs = openedUnixMs;
    this.firstSpan = firstSpan;
  }

  seenIn(position: number): void {
    this.spans++;
    if (this.positions.at(-1) !== position && this.positions.length < MAX_POSITIONS)
      this.positions.push(position);
  }

  /** How much it holds: calls, and intervals of the time split. */
  get weight(): number {
    const intervals =
      (this.#database?.intervals ?? 0) +
      (this.#databaseOrCache?.intervals ?? 0) +
      (this.#any?.intervals ?? 0);
    return this.calls.length + this.foldedCalls.size + intervals;
  }

  addCall(operation: Operation, endUs: number, durationUs: number, isError: boolean): void {
    this.#addInterval(operation.category, endUs - durationUs, endUs);
    if (this.calls.length >= MAX_SINGLE_CALLS) this.#foldCalls();
    this.calls.push({ operation, durationUs, isError });
  }

  /** The parts of the root's time; they add up to `durationUs`. */
  split(endUs: number, durationUs: number): TimeSplit {
    const startUs = endUs - durationUs;
    // Each union is cut to the next larger one: rounded and folded lengths must not make a part exceed the whole.
    const any = Math.min(this.#any?.lengthWithin(startUs, endUs) ?? 0, durationUs);
    const databaseOrCache = Math.min(this.#databaseOrCache?.lengthWithin(startUs, endUs) ?? 0, any);
    const database = Math.min(this.#database?.lengthWithin(startUs, endUs) ?? 0, databaseOrCache);
    return {
      databaseUs: database,
      cacheUs: databaseOrCache - database,
      externalUs: any - databaseOrCache,
      codeUs: durationUs - any,
    };
  }

  #addInterval(category: OperationCategory, startUs: number, endUs: number): void {
    this.#any ??= new IntervalUnion();
    this.#any.add(startUs, endUs);
    if (category === "external") return;
    this.#databaseOrCache ??= new IntervalUnion();
    this.#databaseOrCache.add(startUs, endUs);
    if (category === "cache") return;
    this.#database ??= new IntervalUnion();
    this.#database.add(startUs, endUs);
  }

  #foldCalls(): void {
    for (const { operation, durationUs, isError } of this.calls) {
      let counter = this.foldedCalls.get(operation);
      if (counter === undefined) {
        counter = new DurationCounter();
        this.foldedCalls.set(operation, counter);
      }
      counter.add(durationUs, isError);
    }
    this.calls.length = 0;
  }
}
