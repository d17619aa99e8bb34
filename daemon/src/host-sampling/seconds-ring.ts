import type { SecondsTable } from "@apm-daemon/protocol";

/** The values of one second by name; null or missing where there is none. */
export type SecondValues = Readonly<Record<string, number | null>>;

/** The last seconds of some columns in one flat array; a full ring overwrites its oldest second, counted. */
export class SecondsRing {
  /** Seconds overwritten before anybody drained them. */
  overwrittenSeconds = 0;
  readonly #names: readonly string[];
  readonly #capacity: number;
  readonly #tsSec: Float64Array;
  /** NaN is null. */
  readonly #values: Float64Array;
  /** Seconds pushed and drained since start: their places are these, modulo the capacity. */
  #pushed = 0;
  #drained = 0;

  constructor(names: readonly string[], capacity: number) {
    this.#names = names;
    this.#capacity = capacity;
    this.#tsSec = new Float64Array(capacity);
    this.#values = new Float64Array(capacity * names.length);
  }

  push(tsSec: number, values: SecondValues): void {
    const place = this.#pushed % this.#capacity;
    this.#tsSec[place] = tsSec;
    const start = place * this.#names.length;
    this.#names.forEach((name, column) => {
      this.#values[start + column] = values[name] ?? Number.NaN;
    });
    this.#pushed++;
    if (this.#pushed - this.#drained > this.#capacity) {
      this.#drained++;
      this.overwrittenSeconds++;
    }
  }

  /** The seconds since the last drain, ascending; of two with one name (the clock was set back) the later measured. */
  drain(): SecondsTable {
    const table = this.#table(this.#drained);
    this.#drained = this.#pushed;
    return table;
  }

  /** The last `count` seconds, drained or not; the next drain is not changed by it. */
  last(count: number): SecondsTable {
    return this.#table(Math.max(0, this.#pushed - Math.min(count, this.#capacity)));
  }

  #table(from: number): SecondsTable {
    const byTsSec = new Map<number, number>();
    for (let sequence = from; sequence < this.#pushed; sequence++) {
      const place = sequence % this.#capacity;
      byTsSec.set(this.#tsSec[place] ?? 0, place);
    }
    const rows = [...byTsSec].sort(([a], [b]) => a - b);
    const columns: SecondsTable["columns"] = {};
    this.#names.forEach((name, column) => {
      columns[name] = rows.map(([, place]) => this.#value(place, column));
    });
    return { tsSec: rows.map(([tsSec]) => tsSec), columns };
  }

  /** The second pushed last; all null before the first. */
  newest(): Record<string, number | null> {
    const place = (this.#pushed - 1) % this.#capacity;
    const values: Record<string, number | null> = {};
    this.#names.forEach((name, column) => {
      values[name] = this.#pushed === 0 ? null : this.#value(place, column);
    });
    return values;
  }

  #value(place: number, column: number): number | null {
    const value = this.#values[place * this.#names.length + column] ?? Number.NaN;
    return Number.isNaN(value) ? null : value;
  }
}
