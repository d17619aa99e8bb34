import type { OperationCategory } from "@apm-daemon/protocol";
import { DurationCounter } from "./duration-counter.ts";
import { IntervalUnion } from "./interval-union.ts";
import type { Operation } from "./operation.ts";
import { MAX_CALLS_ALIKE } from "./repeat-key.ts";
import type { SlowCall } from "./slow-statements.ts";
import type { SpanError } from "./span-error.ts";

/** Calls kept one by one; more are folded into a counter per operation, so that endless work stays bounded. */
const MAX_SINGLE_CALLS = 1_000;
/** Calls that are remembered one by one for being slow; each may have a stack of 4 KB. */
const MAX_SLOW_CALLS = 10;
const SLOW_CALL_WEIGHT = 80;
const NO_CALLS: readonly SlowCall[] = [];
/** Frames remembered per request: enough for late sampling of any request that is worth looking at. */
const MAX_POSITIONS = 4_096;

/** Which of the unions a category's calls belong to: this one and those after it. */
const LEVELS: Readonly<Record<OperationCategory, 0 | 1 | 2>> = { database: 0, cache: 1, external: 2 };
const NONE_FOLDED: ReadonlyMap<Operation, DurationCounter> = new Map();

interface SingleCall {
  operation: Operation;
  durationUs: number;
  isError: boolean;
  /** The low half of the parent's id, as a small integer: calls of one request rarely share it with another parent. */
  parent: number;
}

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
 * parts never exceed the whole. Hence three unions: database, database or cache, any. As long as two of them are the same they
 * are one object: most requests call one category only, and tens of thousands may be open.
 */
export class OpenRequest {
  readonly app: string;
  readonly openedUnixMs: number;
  /** Which span of its first frame is its first, counted from 1. */
  readonly firstSpan: number;
  /** Journal positions of the frames with spans of this request, ascending. */
  readonly positions: number[] = [];
  readonly calls: SingleCall[] = [];
  foldedCalls: ReadonlyMap<Operation, DurationCounter> = NONE_FOLDED;
  error: SpanError | null = null;
  slowCalls: readonly SlowCall[] = NO_CALLS;
  spans = 0;
  #hadRepeat = false;
  /** By category: database; database or cache; any. */
  readonly #unions: [IntervalUnion | null, IntervalUnion | null, IntervalUnion | null] = [null, null, null];

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
    const [database, databaseOrCache, any] = this.#unions;
    let weight =
      this.slowCalls.length * SLOW_CALL_WEIGHT +
      this.calls.length +
      this.foldedCalls.size +
      (any?.intervals ?? 0);
    if (databaseOrCache !== any) weight += databaseOrCache?.intervals ?? 0;
    if (database !== databaseOrCache) weight += database?.intervals ?? 0;
    return weight;
  }

  addCall(
    operation: Operation,
    endUs: number,
    durationUs: number,
    isError: boolean,
    parentIdLo: number,
  ): void {
    this.#addInterval(operation.category, endUs - durationUs, endUs);
    if (this.calls.length >= MAX_SINGLE_CALLS) this.#foldCalls();
    this.calls.push({ operation, durationUs, isError, parent: parentIdLo | 0 });
  }

  addSlowCall(call: SlowCall): void {
    if (this.slowCalls.length < MAX_SLOW_CALLS) this.slowCalls = [...this.slowCalls, call];
  }

  /** The parts of the root's time; they add up to `durationUs`. */
  split(endUs: number, durationUs: number): TimeSplit {
    const startUs = endUs - durationUs;
    // Each union is cut to the next larger one: rounded and folded lengths must not make a part exceed the whole.
    const length = (union: IntervalUnion | null): number => union?.lengthWithin(startUs, endUs) ?? 0;
    const any = Math.min(length(this.#unions[2]), durationUs);
    const databaseOrCache = Math.min(length(this.#unions[1]), any);
    const database = Math.min(length(this.#unions[0]), databaseOrCache);
    return {
      databaseUs: database,
      cacheUs: databaseOrCache - database,
      externalUs: any - databaseOrCache,
      codeUs: durationUs - any,
    };
  }

  /** Whether something was called often below one span, as RepeatedCalls tells of the same spans. */
  hasRepeat(): boolean {
    return this.#hadRepeat || hasRepeat(this.calls);
  }

  #addInterval(category: OperationCategory, startUs: number, endUs: number): void {
    const unions = this.#unions;
    const level = LEVELS[category];
    const below = level === 0 ? null : (unions[level - 1] ?? null);
    // From here on the unions at and above this level differ from those below it.
    const ownUnion =
      below !== null && below === unions[level] ? below.copy() : (unions[level] ?? new IntervalUnion());
    const before = unions[level] ?? null;
    for (let i = level; i < unions.length; i++) {
      const union = unions[i] ?? null;
      if (union === before) unions[i] = ownUnion;
      else if (union !== unions[i - 1]) union?.add(startUs, endUs);
    }
    ownUnion.add(startUs, endUs);
  }

  #foldCalls(): void {
    this.#hadRepeat ||= hasRepeat(this.calls);
    const folded = new Map(this.foldedCalls);
    for (const { operation, durationUs, isError } of this.calls) {
      let counter = folded.get(operation);
      if (counter === undefined) {
        counter = new DurationCounter();
        folded.set(operation, counter);
      }
      counter.add(durationUs, isError);
    }
    this.foldedCalls = folded;
    this.calls.length = 0;
  }
}

/**
 * Asked at the end of requests with many calls, so operations are counted before their parents: 0.05 µs a call. One statement
 * that goes to several servers is several operations here.
 */
function hasRepeat(calls: readonly SingleCall[]): boolean {
  if (calls.length <= MAX_CALLS_ALIKE) return false;
  const counts = new Map<Operation, number>();
  for (const { operation } of calls) {
    if (operation.repeatKey === "") continue;
    const count = (counts.get(operation) ?? 0) + 1;
    counts.set(operation, count);
    if (count === MAX_CALLS_ALIKE + 1 && isRepeated(operation, calls)) return true;
  }
  return false;
}

function isRepeated(operation: Operation, calls: readonly SingleCall[]): boolean {
  const counts = new Map<number, number>();
  for (const call of calls) {
    if (call.operation !== operation) continue;
    const count = (counts.get(call.parent) ?? 0) + 1;
    if (count > MAX_CALLS_ALIKE) return true;
    counts.set(call.parent, count);
  }
  return false;
}
