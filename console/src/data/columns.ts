import type { Column, Columns } from "./answers.ts";

/** A column by name; nulls of the right length where the answer lacks it. */
export function column(columns: Columns, name: string): Column {
  return columns.cols[name] ?? Array.from({ length: lengthOf(columns) }, () => null);
}

/** Buckets of the answer. */
export function lengthOf(columns: Columns): number {
  return Math.max(0, ...Object.values(columns.cols).map((values) => values.length));
}

/** Whether anything arrived, bucket by bucket: some of the columns has a value. */
export function arrivedIn(columns: Columns, names: readonly string[]): boolean[] {
  const lists = names.map((name) => column(columns, name));
  return Array.from({ length: lengthOf(columns) }, (_, index) =>
    lists.some((list) => (list[index] ?? null) !== null),
  );
}

/** The column with every known value changed. */
export function mapColumn(values: Column, change: (value: number) => number): Column {
  return values.map((value) => (value === null ? null : change(value)));
}

/** Sums of several columns; null where none has a value. */
export function sumColumns(lists: readonly Column[]): Column {
  const length = Math.max(0, ...lists.map((list) => list.length));
  return Array.from({ length }, (_, index) => {
    const known = lists.map((list) => list[index] ?? null).filter((value) => value !== null);
    return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
  });
}
