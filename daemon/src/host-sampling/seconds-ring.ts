import type { SecondsTable } from "@apm-daemon/protocol";

/** The values of one second by name; null or missing where there is none. */
export type SecondValues = Readonly<Record<string, number | null>>;

/** How numbers are kept: whole, in 8 bytes, or to seven digits in 4. */
export type Precision = "double" | "single";

const SINGLE_DIGITS = 7;

/**
 * The last seconds of some columns; a full ring overwrites its oldest second, counted. A column takes memory from its first value on,
 * so that what a host or a process does not have costs nothing.
 */
export class SecondsRing {
  /** Seconds overwritten before anybody drained them. */
  overwrittenSeconds = 0;
  readonly #names: readonly string[];
  readonly #precision: Precision;
  #capacity: number;
  #tsSec: Float64Array;
  /** NaN is null; a missing column is null throughout. */
  #columns: (Float64Array | Float32Array | null)[];
  /** Seconds pushed and drained since start: their places are these, modulo the capacity. */
  #pushed = 0;
  #drained = 0;

  constructor(names: readonly string[], capacity: number, precision: Precision = "double") {
    this.#names = names;
    this.#precision = precision;
    this.#capacity = capacity;
    this.#tsSec = new Float64Array(capacity);
    this.#columns = names.map(() => null);
  }

  /** The most that one second of `columns` columns takes. */
  static bytesPerSecond(columns: number, precision: Precision): number {
    const { BYTES_PER_ELEMENT } = precision === "double" ? Float64Array : Float32Array;
    return Float64Array.BYTES_PER_ELEMENT + columns * BYTES_PER_ELEMENT;
  }

  get capacity(): number {
    return this.#capacity;
  }

  push(tsSec: number, values: SecondValues): void {
    const place = this.#pushed % this.#capacity;
    this.#tsSec[place] = tsSec;
    for (let column = 0; column < this.#names.length; column++)
      this.#set(column, place, values[this.#names[column] ?? ""] ?? Number.NaN);
    this.#pushed++;
    if (this.#pushed - this.#drained > this.#capacity) {
      this.#drained++;
      this.overwrittenSeconds++;
    }
  }

  /** Keeps that many seconds from now on; what no longer fits goes, the oldest first. */
  resize(capacity: number): void {
    if (capacity === this.#capacity) return;
    const from = Math.max(0, this.#pushed - Math.min(capacity, this.#capacity));
    const before = { capacity: this.#capacity, tsSec: this.#tsSec, columns: this.#columns };
    this.#capacity = capacity;
    this.#tsSec = new Float64Array(capacity);
    this.#columns = before.columns.map((column) => (column === null ? null : this.#newColumn()));
    for (let sequence = from; sequence < this.#pushed; sequence++) {
      const [place, old] = [sequence % capacity, sequence % before.capacity];
      this.#tsSec[place] = before.tsSec[old] ?? 0;
      before.columns.forEach((column, i) => {
        if (column !== null) this.#set(i, place, column[old] ?? Number.NaN);
      });
    }
    const lost = Math.max(0, from - this.#drained);
    this.#drained += lost;
    this.overwrittenSeconds += lost;
  }

  /**
   * The seconds since the last drain, ascending; of two with one name (the clock was set back) the later measured. Those from
   * `beforeTsSec` on stay for the next drain, unless older ones follow them.
   */
  drain(beforeTsSec: number = Number.POSITIVE_INFINITY): SecondsTable {
    let end = this.#pushed;
    while (end > this.#drained && (this.#tsSec[(end - 1) % this.#capacity] ?? 0) >= beforeTsSec) end--;
    const table = this.#table(this.#drained, end);
    this.#drained = end;
    return table;
  }

  /** The name of the second pushed last; -Infinity before the first. */
  get newestTsSec(): number {
    if (this.#pushed === 0) return Number.NEGATIVE_INFINITY;
    return this.#tsSec[(this.#pushed - 1) % this.#capacity] ?? 0;
  }

  /** The last `count` seconds, drained or not; the next drain is not changed by it. */
  last(count: number): SecondsTable {
    return this.#table(Math.max(0, this.#pushed - Math.min(count, this.#capacity)), this.#pushed);
  }

  /** The seconds from one to another, both included, drained or not; the next drain is not changed by it. */
  between(fromTsSec: number, toTsSec: number): SecondsTable {
    return this.#table(Math.max(0, this.#pushed - this.#capacity), this.#pushed, fromTsSec, toTsSec);
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

  #table(
    from: number,
    end: number,
    fromTsSec = Number.NEGATIVE_INFINITY,
    toTsSec = Number.POSITIVE_INFINITY,
  ): SecondsTable {
    const byTsSec = new Map<number, number>();
    for (let sequence = from; sequence < end; sequence++) {
      const place = sequence % this.#capacity;
      const tsSec = this.#tsSec[place] ?? 0;
      if (tsSec >= fromTsSec && tsSec <= toTsSec) byTsSec.set(tsSec, place);
    }
    const rows = [...byTsSec].sort(([a], [b]) => a - b);
    const columns: SecondsTable["columns"] = {};
    this.#names.forEach((name, column) => {
      columns[name] = rows.map(([, place]) => this.#value(place, column));
    });
    return { tsSec: rows.map(([tsSec]) => tsSec), columns };
  }

  #set(column: number, place: number, value: number): void {
    let values = this.#columns[column] ?? null;
    if (values === null) {
      if (Number.isNaN(value)) return;
      values = this.#newColumn();
      this.#columns[column] = values;
    }
    values[place] = value;
  }

  #newColumn(): Float64Array | Float32Array {
    const values =
      this.#precision === "double" ? new Float64Array(this.#capacity) : new Float32Array(this.#capacity);
    return values.fill(Number.NaN);
  }

  /** Of a single, the digits that it has: those behind them are noise, and travel. */
  #value(place: number, column: number): number | null {
    const value = this.#columns[column]?.[place] ?? Number.NaN;
    if (Number.isNaN(value)) return null;
    return this.#precision === "double" || Number.isInteger(value)
      ? value
      : Number(value.toPrecision(SINGLE_DIGITS));
  }
}
