import type { Seconds } from "./seconds.ts";
import type { Measured, Usual } from "./usual.ts";

/**
 * How what is told of several seconds becomes one value: max; sum; since: the mean, where each value is about the time since the one before, and that of the first second is about what was
 * before the request, so that it counts only when there is no other.
 */
export type Fold = "max" | "sum" | "since";

/** Of a second that a request touched with no length at all. */
const LEAST_WEIGHT = 1e-6;

/** The seconds that one request touched, and those after it in which more may be told of them. */
export class RequestSeconds {
  readonly #table: Seconds;
  readonly #startSec: number;
  readonly #from: number;
  /** How much of each row's second belongs to the request, in seconds; 0 for those after it. */
  readonly #weights: number[] = [];
  /** Rows that the request touched. */
  readonly seconds: number;
  /** Share of the request's time that these cover. */
  readonly coverage: number;

  constructor(table: Seconds, startUnixMs: number, endUnixMs: number, laterSec: number) {
    this.#table = table;
    this.#startSec = Math.floor(startUnixMs / 1_000);
    this.#from = table.firstFrom(this.#startSec);
    const endSec = Math.floor(endUnixMs / 1_000);
    let touched = 0;
    let covered = 0;
    for (let row = this.#from; row < table.tsSec.length; row++) {
      const tsSec = table.tsSec[row] ?? 0;
      if (tsSec > endSec + laterSec) break;
      const overlapMs = Math.min(endUnixMs, (tsSec + 1) * 1_000) - Math.max(startUnixMs, tsSec * 1_000);
      const weight = tsSec > endSec ? 0 : Math.max(LEAST_WEIGHT, overlapMs / 1_000);
      this.#weights.push(weight);
      if (weight > 0) touched++;
      covered += weight;
    }
    const lengthSec = (endUnixMs - startUnixMs) / 1_000;
    this.seconds = touched;
    this.coverage = lengthSec > 0 ? Math.min(1, covered / lengthSec) : Math.min(1, touched);
  }

  /** A measure in the request's seconds alone, each weighted by what of it belongs to the request. */
  mean(name: string): Measured | null {
    const column = this.#table.column(name);
    if (column === null) return null;
    let sum = 0;
    let weights = 0;
    for (let i = 0; i < this.#weights.length; i++) {
      const value = column[this.#from + i];
      const weight = this.#weights[i] ?? 0;
      if (value === null || value === undefined) continue;
      sum += value * weight;
      weights += weight;
    }
    return weights > 0 ? this.#measured(name, sum / weights) : null;
  }

  /** The most in the request's seconds: of what is looked at once a second, and may be over when it is. */
  most(name: string): number | null {
    const column = this.#table.column(name);
    let most: number | null = null;
    for (let i = 0; i < this.#weights.length; i++) {
      const value = column?.[this.#from + i] ?? null;
      if (value !== null && (this.#weights[i] ?? 0) > 0) most = Math.max(most ?? value, value);
    }
    return most;
  }

  /** A measure in these seconds and those after them. */
  told(name: string, fold: Fold): Measured | null {
    const column = this.#table.column(name);
    if (column === null) return null;
    let count = 0;
    let sum = 0;
    let max = Number.NEGATIVE_INFINITY;
    let sinceSum = 0;
    let lastAt = 0;
    for (let i = 0; i < this.#weights.length; i++) {
      const value = column[this.#from + i];
      if (value === null || value === undefined) continue;
      count++;
      sum += value;
      max = Math.max(max, value);
      sinceSum += value * (i - lastAt);
      lastAt = i;
    }
    if (count === 0) return null;
    const since = lastAt === 0 ? sum : sinceSum / lastAt;
    return this.#measured(name, { sum, max, since }[fold]);
  }

  #measured(name: string, value: number): Measured {
    return new MeasuredSeconds(this.#table, name, this.#startSec, value);
  }
}

/** What is usual is worked out when it is asked for: of most measures it never is. */
class MeasuredSeconds implements Measured {
  readonly value: number;
  readonly #table: Seconds;
  readonly #name: string;
  readonly #beforeSec: number;

  constructor(table: Seconds, name: string, beforeSec: number, value: number) {
    this.value = value;
    this.#table = table;
    this.#name = name;
    this.#beforeSec = beforeSec;
  }

  get usual(): Usual | null {
    return this.#table.usual(this.#name, this.#beforeSec);
  }
}
