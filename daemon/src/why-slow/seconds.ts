import type { SecondsTable } from "@apm-daemon/protocol";
import { type Usual, usualOf } from "./usual.ts";

/** Long enough that a minute of trouble does not become what is usual, short enough to know the hour of the day. */
export const BASELINE_SEC = 300;

/** The seconds of a host or a process as a table, asked for by time. What is usual before a second is worked out once. */
export class Seconds {
  readonly tsSec: readonly number[];
  readonly #columns: SecondsTable["columns"];
  readonly #usual = new Map<number, Map<string, Usual | null>>();

  constructor({ tsSec, columns }: SecondsTable) {
    this.tsSec = tsSec;
    this.#columns = columns;
  }

  column(name: string): readonly (number | null)[] | null {
    return this.#columns[name] ?? null;
  }

  /** How many of the seconds before that one are known. */
  baselineSeconds(beforeSec: number): number {
    return this.firstFrom(beforeSec) - this.firstFrom(beforeSec - BASELINE_SEC);
  }

  /** What is usual of a measure in the five minutes before that second; null where too little is known. */
  usual(name: string, beforeSec: number): Usual | null {
    let before = this.#usual.get(beforeSec);
    if (before === undefined) {
      before = new Map();
      this.#usual.set(beforeSec, before);
    }
    let usual = before.get(name);
    if (usual === undefined) {
      usual = this.#usualBefore(name, beforeSec);
      before.set(name, usual);
    }
    return usual;
  }

  /** The first row of that second or a later one. */
  firstFrom(tsSec: number): number {
    let low = 0;
    let high = this.tsSec.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.tsSec[middle] ?? 0) < tsSec) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #usualBefore(name: string, beforeSec: number): Usual | null {
    const column = this.column(name) ?? [];
    const from = this.firstFrom(beforeSec - BASELINE_SEC);
    const to = this.firstFrom(beforeSec);
    const values = new Float64Array(to - from);
    let count = 0;
    for (let row = from; row < to; row++) {
      const value = column[row];
      if (value !== null && value !== undefined) values[count++] = value;
    }
    return usualOf(values.subarray(0, count));
  }
}
