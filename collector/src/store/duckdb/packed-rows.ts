import type { SparseHistogram } from "@apm-daemon/protocol";
import {
  type DuckDBDataChunk,
  type DuckDBListVector,
  type DuckDBResult,
  JSDuckDBValueConverter,
} from "@duckdb/node-api";

export type ResultRow = Record<string, unknown>;

/**
 * A query's rows on their way between threads, by column. Histograms are merged here (`withHistogramsSql`): DuckDB needs three times
 * as long for it. They cross as runs of numbers, since lists of plain values take as long as the query.
 */
export interface PackedRows {
  count: number;
  columns: { name: string; values: unknown[] | PackedHistograms }[];
}

interface PackedHistograms {
  /** How many buckets each has. */
  lengths: Uint32Array<ArrayBuffer>;
  /** Of all of them, end to end; of each ascending. */
  buckets: Uint16Array<ArrayBuffer>;
  counts: Float64Array<ArrayBuffer>;
}

/** Columns of `withHistogramsSql`. */
const GROUP = "histogram_group";
const CELLS = ["histogram_buckets", "histogram_counts"] as const;
const HISTOGRAM = "histogram";

/** Ten bytes each leave DuckDB at once, outside of its own limit of memory. */
const MAX_CELLS = 20_000_000;
const TOO_MANY_CELLS = `more than ${MAX_CELLS} cells of histograms`;

/** Whether a query failed because of its `withHistogramsSql`. */
export function hasTooManyCells(error: unknown): boolean {
  return error instanceof Error && error.message.includes(TOO_MANY_CELLS);
}

/**
 * SELECT of groups of rows, each with the merged histogram of its rows, a SparseHistogram, as one more column `histogram`.
 *
 * `rows` is a SELECT with `buckets` and `counts`, `group` some of its columns, `sums` aggregates of others, `order` says in which order
 * groups come; only the first `limit`, of each value of `per` if that is given.
 */
export function withHistogramsSql(parts: {
  rows: string;
  group: string;
  sums: string;
  order: string;
  limit?: string;
  per?: string;
}): string {
  const { rows, group, sums, order, limit, per } = parts;
  const place = `row_number() OVER (${per === undefined ? "" : `PARTITION BY ${per} `}ORDER BY ${order})`;
  // Groups come under their number, cells under its negative.
  return `WITH picked AS MATERIALIZED (${rows}),
    grouped AS MATERIALIZED (
      SELECT *, row_number() OVER (ORDER BY ${order})::DOUBLE AS ${GROUP} FROM (
        SELECT * FROM (SELECT ${group}, ${sums} FROM picked GROUP BY ${group})
        ${limit === undefined ? "" : `QUALIFY ${place} <= ${limit}`}))
    SELECT *, NULL::USMALLINT[] AS ${CELLS[0]}, NULL::DOUBLE[] AS ${CELLS[1]} FROM grouped
    UNION ALL BY NAME
    SELECT -${GROUP} AS ${GROUP}, buckets AS ${CELLS[0]}, counts AS ${CELLS[1]} FROM picked JOIN grouped USING (${group})
    WHERE buckets IS NOT NULL AND
      CASE WHEN (SELECT coalesce(sum(len(buckets)), 0) FROM picked) > ${MAX_CELLS} THEN error('${TOO_MANY_CELLS}') ELSE true END`;
}

/** Reads the result to its end. */
export async function packedRows(result: DuckDBResult): Promise<PackedRows> {
  const names = result.deduplicatedColumnNames();
  if (!names.includes(GROUP)) return plain(await result.fetchAllChunks(), names);
  const groups = new Groups(names);
  for (
    let chunk = await result.fetchChunk();
    chunk !== null && chunk.rowCount > 0;
    chunk = await result.fetchChunk()
  )
    groups.add(chunk);
  return groups.packed();
}

function plain(chunks: readonly DuckDBDataChunk[], names: readonly string[]): PackedRows {
  return {
    count: chunks.reduce((sum, { rowCount }) => sum + rowCount, 0),
    columns: names.map((name, column) => ({
      name,
      values: chunks.flatMap((chunk) => chunk.convertColumnValues(column, JSDuckDBValueConverter)),
    })),
  };
}

/** Groups of rows with their histograms, as they come out of `withHistogramsSql` in any order. */
class Groups {
  readonly #group: number;
  readonly #buckets: number;
  readonly #counts: number;
  readonly #shown: { name: string; column: number; values: unknown[] }[];
  readonly #sums: BucketSums[] = [];

  constructor(names: readonly string[]) {
    const [ofBuckets, ofCounts] = CELLS;
    this.#group = names.indexOf(GROUP);
    this.#buckets = names.indexOf(ofBuckets);
    this.#counts = names.indexOf(ofCounts);
    const hidden: readonly string[] = [GROUP, ...CELLS];
    this.#shown = names
      .map((name, column) => ({ name, column, values: [] }))
      .filter(({ name }) => !hidden.includes(name));
  }

  add(chunk: DuckDBDataChunk): void {
    const numbers = chunk.getColumnVector(this.#group);
    const buckets = chunk.getColumnVector(this.#buckets) as DuckDBListVector;
    const counts = chunk.getColumnVector(this.#counts) as DuckDBListVector;
    for (let row = 0; row < chunk.rowCount; row++) {
      const number = numbers.getItem(row) as number;
      if (number > 0) this.#addGroup(number - 1, chunk, row);
      else this.#sumsOf(-number - 1).add(buckets, counts, row);
    }
  }

  packed(): PackedRows {
    const count = this.#shown[0]?.values.length ?? 0;
    const sums = Array.from({ length: count }, (_, index) => this.#sumsOf(index));
    const room = sums.reduce((cells, { room }) => cells + room, 0);
    const lengths = new Uint32Array(count);
    const buckets = new Uint16Array(room);
    const counts = new Float64Array(room);
    let cells = 0;
    for (const [index, one] of sums.entries()) {
      const end = one.writeTo(buckets, counts, cells);
      lengths[index] = end - cells;
      cells = end;
    }
    const values = { lengths, buckets: buckets.slice(0, cells), counts: counts.slice(0, cells) };
    const columns = this.#shown.map(({ name, values }) => ({ name, values }));
    return { count, columns: [...columns, { name: HISTOGRAM, values }] };
  }

  #addGroup(index: number, chunk: DuckDBDataChunk, row: number): void {
    for (const { column, values } of this.#shown) {
      const vector = chunk.getColumnVector(column);
      values[index] = JSDuckDBValueConverter(vector.getItem(row), vector.type, JSDuckDBValueConverter);
    }
  }

  #sumsOf(index: number): BucketSums {
    const sums = this.#sums[index] ?? new BucketSums();
    this.#sums[index] = sums;
    return sums;
  }
}

/** 64 buckets are two doublings: most histograms touch three or four pages. */
const PAGE_BITS = 6;
const PAGE_BUCKETS = 2 ** PAGE_BITS;

/** Sums by bucket, in pages of which only those with a bucket are there. */
class BucketSums {
  readonly #pages: Map<number, Float64Array> = new Map();

  /** Adds the cells of one row. */
  add(buckets: DuckDBListVector, counts: DuckDBListVector, row: number): void {
    const cells = buckets.getEntryLength(row);
    const bucketsAt = buckets.getEntryOffset(row);
    const countsAt = counts.getEntryOffset(row);
    const bucketOf = itemsOf(buckets);
    const countOf = itemsOf(counts);
    let at = -1;
    let page = NO_PAGE;
    for (let i = 0; i < cells; i++) {
      const bucket = bucketOf[bucketsAt + i] as number;
      // They ascend: a page serves many.
      if (bucket >> PAGE_BITS !== at) {
        at = bucket >> PAGE_BITS;
        page = this.#page(at);
      }
      const place = bucket & (PAGE_BUCKETS - 1);
      page[place] = (page[place] ?? 0) + (countOf[countsAt + i] as number);
    }
  }

  /** How many cells there may be. */
  get room(): number {
    return this.#pages.size * PAGE_BUCKETS;
  }

  /** Writes what is not 0, ascending, from a place on; answers the place after it. */
  writeTo(buckets: Uint16Array, counts: Float64Array, from: number): number {
    let at = from;
    for (const number of [...this.#pages.keys()].sort((a, b) => a - b)) {
      const page = this.#page(number);
      for (let place = 0; place < PAGE_BUCKETS; place++) {
        const count = page[place] as number;
        if (count === 0) continue;
        buckets[at] = number * PAGE_BUCKETS + place;
        counts[at] = count;
        at++;
      }
    }
    return at;
  }

  #page(at: number): Float64Array {
    const page = this.#pages.get(at) ?? new Float64Array(PAGE_BUCKETS);
    this.#pages.set(at, page);
    return page;
  }
}

/** Numbers of all lists of a vector, end to end, none of which is null. The library's own way, a call for each, takes twice as long, of a million and more. */
function itemsOf(lists: DuckDBListVector): Uint16Array | Float64Array {
  const { items } = lists.childVector as unknown as { items?: unknown };
  if (items instanceof Uint16Array || items instanceof Float64Array) return items;
  throw new TypeError("lists of numbers are not where they were in @duckdb/node-api");
}

const NO_PAGE: Float64Array = new Float64Array();

/** Rows as plain objects. */
export function unpackedRows({ count, columns }: PackedRows): ResultRow[] {
  const plain = columns.map(({ name, values }) => ({
    name,
    values: Array.isArray(values) ? values : histograms(values),
  }));
  const rows: ResultRow[] = [];
  for (let i = 0; i < count; i++) {
    const row: ResultRow = {};
    for (const { name, values } of plain) row[name] = values[i];
    rows.push(row);
  }
  return rows;
}

/** Its memory that can be given to another thread instead of being copied. */
export function transferable({ columns }: PackedRows): ArrayBuffer[] {
  return columns.flatMap(({ values }) =>
    Array.isArray(values) ? [] : [values.lengths.buffer, values.buckets.buffer, values.counts.buffer],
  );
}

function histograms({ lengths, buckets, counts }: PackedHistograms): SparseHistogram[] {
  let at = 0;
  return Array.from(lengths, (length) => {
    const histogram = { buckets: slice(buckets, at, length), counts: slice(counts, at, length) };
    at += length;
    return histogram;
  });
}

/** Twice as fast as Array.from. */
function slice(values: Uint16Array | Float64Array, from: number, length: number): number[] {
  const found: number[] = [];
  for (let i = from; i < from + length; i++) found.push(values[i] ?? 0);
  return found;
}
