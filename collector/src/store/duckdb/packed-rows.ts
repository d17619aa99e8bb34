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
/** Buckets are numbers of 16 bits. */
const BUCKETS = 65_536;

/**
 * SELECT of groups of rows, each with the merged histogram of its rows, a SparseHistogram, as one more column `histogram`.
 *
 * `rows` is a SELECT with `buckets` and `counts`, `group` some of its columns, `sums` aggregates of others, `order` says in which order
 * groups come; only the first `limit`.
 */
export function withHistogramsSql(parts: {
  rows: string;
  group: string;
  sums: string;
  order: string;
  limit?: string;
}): string {
  const { rows, group, sums, order, limit } = parts;
  // Groups come under their number, cells under its negative.
  return `WITH picked AS MATERIALIZED (${rows}),
    grouped AS MATERIALIZED (
      SELECT *, row_number() OVER (ORDER BY ${order})::DOUBLE AS ${GROUP} FROM (SELECT ${group}, ${sums} FROM picked GROUP BY ${group})
      ${limit === undefined ? "" : `QUALIFY ${GROUP} <= ${limit}`})
    SELECT *, NULL::USMALLINT[] AS ${CELLS[0]}, NULL::DOUBLE[] AS ${CELLS[1]} FROM grouped
    UNION ALL BY NAME
    SELECT -${GROUP} AS ${GROUP}, buckets AS ${CELLS[0]}, counts AS ${CELLS[1]} FROM picked JOIN grouped USING (${group})`;
}

export async function packedRows(result: DuckDBResult): Promise<PackedRows> {
  const chunks = await result.fetchAllChunks();
  const names = result.deduplicatedColumnNames();
  return names.includes(GROUP) ? grouped(chunks, names) : plain(chunks, names);
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

/** Where a row of the result is. */
interface Place {
  chunk: DuckDBDataChunk;
  row: number;
}

function grouped(chunks: readonly DuckDBDataChunk[], names: readonly string[]): PackedRows {
  const groups: Place[] = [];
  const cells: Place[][] = [];
  for (const chunk of chunks) {
    const numbers = chunk.getColumnVector(names.indexOf(GROUP));
    for (let row = 0; row < chunk.rowCount; row++) {
      const number = numbers.getItem(row) as number;
      const index = Math.abs(number) - 1;
      if (number > 0) groups[index] = { chunk, row };
      else if (cells[index] === undefined) cells[index] = [{ chunk, row }];
      else cells[index].push({ chunk, row });
    }
  }
  const [ofBuckets, ofCounts] = CELLS.map((name) => names.indexOf(name)) as [number, number];
  const isShown = (name: string): boolean => name !== GROUP && !(CELLS as readonly string[]).includes(name);
  const columns = names.flatMap((name, column): PackedRows["columns"] => {
    if (!isShown(name)) return [];
    const values = groups.map(({ chunk, row }) => {
      const vector = chunk.getColumnVector(column);
      return JSDuckDBValueConverter(vector.getItem(row), vector.type, JSDuckDBValueConverter);
    });
    return [{ name, values }];
  });
  const values = merged(
    groups.map((_, index) => cells[index] ?? []),
    ofBuckets,
    ofCounts,
  );
  return { count: groups.length, columns: [...columns, { name: HISTOGRAM, values }] };
}

/** Rows as plain objects. */
export function unpackedRows({ count, columns }: PackedRows): ResultRow[] {
  const rows = Array.from({ length: count }, (): ResultRow => ({}));
  for (const { name, values } of columns) {
    const plain = Array.isArray(values) ? values : histograms(values);
    for (const [i, row] of rows.entries()) row[name] = plain[i];
  }
  return rows;
}

/** Its memory that can be given to another thread instead of being copied. */
export function transferable({ columns }: PackedRows): ArrayBuffer[] {
  return columns.flatMap(({ values }) =>
    Array.isArray(values) ? [] : [values.lengths.buffer, values.buckets.buffer, values.counts.buffer],
  );
}

function merged(groups: readonly Place[][], ofBuckets: number, ofCounts: number): PackedHistograms {
  const lengths: number[] = [];
  const buckets: number[] = [];
  const counts: number[] = [];
  const sums = new Float64Array(BUCKETS);
  for (const places of groups) {
    let [first, last] = [BUCKETS, -1];
    for (const { chunk, row } of places) {
      const bucketLists = chunk.getColumnVector(ofBuckets) as DuckDBListVector;
      const countLists = chunk.getColumnVector(ofCounts) as DuckDBListVector;
      const cells = bucketLists.getEntryLength(row);
      const bucketsAt = bucketLists.getEntryOffset(row);
      const countsAt = countLists.getEntryOffset(row);
      const { childVector: bucketOf } = bucketLists;
      const { childVector: countOf } = countLists;
      for (let i = 0; i < cells; i++) {
        const bucket = bucketOf.getItem(bucketsAt + i) as number;
        sums[bucket] = (sums[bucket] ?? 0) + (countOf.getItem(countsAt + i) as number);
        if (bucket < first) first = bucket;
        if (bucket > last) last = bucket;
      }
    }
    const before = buckets.length;
    for (let bucket = first; bucket <= last; bucket++) {
      const count = sums[bucket] ?? 0;
      if (count === 0) continue;
      buckets.push(bucket);
      counts.push(count);
      sums[bucket] = 0;
    }
    lengths.push(buckets.length - before);
  }
  return {
    lengths: Uint32Array.from(lengths),
    buckets: Uint16Array.from(buckets),
    counts: Float64Array.from(counts),
  };
}

function histograms({ lengths, buckets, counts }: PackedHistograms): SparseHistogram[] {
  let at = 0;
  return Array.from(lengths, (length) => {
    const end = at + length;
    const histogram = {
      buckets: Array.from(buckets.subarray(at, end)),
      counts: Array.from(counts.subarray(at, end)),
    };
    at = end;
    return histogram;
  });
}
