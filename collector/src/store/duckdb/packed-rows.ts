import {
  type DuckDBDataChunk,
  DuckDBListVector,
  type DuckDBResult,
  DuckDBTypeId,
  JSDuckDBValueConverter,
} from "@duckdb/node-api";

export type ResultRow = Record<string, unknown>;

/**
 * A query's rows on their way between threads, by column. A chart of histograms has some hundred thousand numbers in lists: handed
 * over as lists of plain values they take as long as the query.
 */
export interface PackedRows {
  count: number;
  columns: { name: string; values: unknown[] | PackedLists }[];
}

/** Lists of numbers, end to end. */
interface PackedLists {
  /** -1: null. */
  lengths: Int32Array<ArrayBuffer>;
  items: Float64Array<ArrayBuffer>;
}

const NUMBERS: ReadonlySet<DuckDBTypeId> = new Set([
  DuckDBTypeId.USMALLINT,
  DuckDBTypeId.UINTEGER,
  DuckDBTypeId.DOUBLE,
]);

export async function packedRows(result: DuckDBResult): Promise<PackedRows> {
  const chunks = await result.fetchAllChunks();
  return {
    count: chunks.reduce((sum, { rowCount }) => sum + rowCount, 0),
    columns: result.deduplicatedColumnNames().map((name, column) => ({
      name,
      values: isListOfNumbers(chunks[0], column)
        ? packedLists(chunks, column)
        : chunks.flatMap((chunk) => chunk.convertColumnValues(column, JSDuckDBValueConverter)),
    })),
  };
}

/** Rows as plain objects. */
export function unpackedRows({ count, columns }: PackedRows): ResultRow[] {
  const rows = Array.from({ length: count }, (): ResultRow => ({}));
  for (const { name, values } of columns) {
    const plain = Array.isArray(values) ? values : unpackedLists(values);
    for (const [i, row] of rows.entries()) row[name] = plain[i];
  }
  return rows;
}

/** Its memory that can be given to another thread instead of being copied. */
export function transferable({ columns }: PackedRows): ArrayBuffer[] {
  return columns.flatMap(({ values }) =>
    Array.isArray(values) ? [] : [values.lengths.buffer, values.items.buffer],
  );
}

function isListOfNumbers(chunk: DuckDBDataChunk | undefined, column: number): boolean {
  const vector = chunk?.getColumnVector(column);
  return vector instanceof DuckDBListVector && NUMBERS.has(vector.type.valueType.typeId);
}

function packedLists(chunks: readonly DuckDBDataChunk[], column: number): PackedLists {
  const vectors = chunks.map((chunk) => chunk.getColumnVector(column) as DuckDBListVector);
  const lists = vectors.flatMap((vector) =>
    Array.from({ length: vector.itemCount }, (_, row) => vector.getItemVector(row)),
  );
  const lengths = Int32Array.from(lists, (list) => list?.itemCount ?? -1);
  const items = new Float64Array(lengths.reduce((sum, length) => sum + Math.max(0, length), 0));
  let at = 0;
  for (const list of lists)
    for (let i = 0; i < (list?.itemCount ?? 0); i++) items[at++] = list?.getItem(i) as number;
  return { lengths, items };
}

function unpackedLists({ lengths, items }: PackedLists): (number[] | null)[] {
  let at = 0;
  return Array.from(lengths, (length) => {
    if (length < 0) return null;
    const list = Array.from(items.subarray(at, at + length));
    at += length;
    return list;
  });
}
