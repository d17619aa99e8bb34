import type { ComponentChildren, JSX } from "preact";
import { useRef } from "preact/hooks";

export interface TableColumn<Row> {
  key: string;
  label: string;
  isNumber?: boolean;
  /** Where a click on the heading leads, for tables whose order stands in the URL. */
  sortHref?: string;
  isSorted?: boolean;
  cell: (row: Row) => ComponentChildren;
}

/**
 * Rows in the given order. While the pointer or focus is inside, rows keep their places when newer data arrives, so that
 * nobody clicks what just moved. On phones each row becomes a card.
 */
export function Table<Row>(props: {
  label: string;
  columns: TableColumn<Row>[];
  rows: Row[];
  keyOf: (row: Row) => string;
  class?: string;
}): JSX.Element {
  const { columns, keyOf } = props;
  const held = useRef<string[] | null>(null);
  const shown = useRef<string[]>([]);
  const rows = held.current === null ? props.rows : inOrder(props.rows, keyOf, held.current);
  shown.current = rows.map(keyOf);
  const hold = (): void => {
    held.current ??= shown.current;
  };
  const release = (): void => {
    held.current = null;
  };
  return (
    <div class={`table-frame ${props.class ?? ""}`} onPointerEnter={hold} onPointerLeave={release}>
      <table aria-label={props.label}>
        <thead>
          <tr>
            {columns.map((column) => (
              <Heading key={column.key} column={column} onSort={release} />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map((column) => (
                <td key={column.key} class={column.isNumber ? "number" : undefined} data-label={column.label}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Heading<Row>({ column, onSort }: { column: TableColumn<Row>; onSort: () => void }): JSX.Element {
  const sortState = column.isSorted ? "descending" : undefined;
  return (
    <th scope="col" class={column.isNumber ? "number" : undefined} aria-sort={sortState}>
      {column.sortHref === undefined ? (
        column.label
      ) : (
        <a href={column.sortHref} class="sort" onClick={onSort}>
          {column.label}
          <span aria-hidden="true">{column.isSorted ? " ▾" : ""}</span>
        </a>
      )}
    </th>
  );
}

function inOrder<Row>(rows: readonly Row[], keyOf: (row: Row) => string, keys: readonly string[]): Row[] {
  const place = new Map(keys.map((key, index) => [key, index]));
  const placeOf = (row: Row): number => place.get(keyOf(row)) ?? keys.length;
  return [...rows].sort((a, b) => placeOf(a) - placeOf(b));
}
