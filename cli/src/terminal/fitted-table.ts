import type { Paint } from "./paint.ts";
import { cutText, textWidth } from "./text-width.ts";

export interface FittedColumn<Row> {
  title: string;
  align: "left" | "right";
  /** Cells that it takes at least, so that columns do not move with each number. */
  cells: number;
  /** Takes what the others leave, even less than `cells` when no other can go. One column is. */
  isFlexible?: true;
  /** Where there is no room, columns with the highest go first; 0 stays. */
  dropOrder: number;
  text: (row: Row) => string;
  style?: (row: Row) => Parameters<Paint>[0] | null;
}

const WIDE_CELLS = 100;

/** Lines of a table in exactly so many cells, the titles first. */
export function fittedTable<Row>(
  columns: readonly FittedColumn<Row>[],
  rows: readonly Row[],
  cells: number,
  paint: Paint,
): string[] {
  const gap = cells >= WIDE_CELLS ? 2 : 1;
  const texts = new Map(columns.map((column) => [column, rows.map((row) => column.text(row))]));
  const widthOf = (column: FittedColumn<Row>): number => {
    const own = Math.max(column.cells, textWidth(column.title));
    return column.isFlexible ? own : Math.max(own, ...(texts.get(column) ?? []).map(textWidth));
  };
  const shown = columnsThatFit(columns, (column) => widthOf(column) + gap, cells + gap);
  const fixed = shown.reduce((sum, column) => sum + widthOf(column) + gap, 0) - gap;
  const widths = shown.map((column) =>
    column.isFlexible ? Math.max(0, widthOf(column) + cells - fixed) : widthOf(column),
  );
  const lineOf = (textOf: (column: FittedColumn<Row>) => string, row: Row | null): string =>
    shown
      .map((column, i) => {
        const text = cutText(textOf(column), widths[i] ?? 0);
        const padding = " ".repeat((widths[i] ?? 0) - textWidth(text));
        const style = row === null ? null : (column.style?.(row) ?? null);
        const painted = style === null ? text : paint(style, text);
        return column.align === "left" ? painted + padding : padding + painted;
      })
      .join(" ".repeat(gap))
      .trimEnd();
  return [
    lineOf((column) => column.title, null),
    ...rows.map((row, i) => lineOf((column) => texts.get(column)?.[i] ?? "", row)),
  ];
}

function columnsThatFit<Column extends { dropOrder: number }>(
  columns: readonly Column[],
  widthOf: (column: Column) => number,
  cells: number,
): Column[] {
  const shown = [...columns];
  const byOrder = columns.filter(({ dropOrder }) => dropOrder > 0).sort((a, b) => b.dropOrder - a.dropOrder);
  for (const column of byOrder) {
    if (shown.reduce((sum, one) => sum + widthOf(one), 0) <= cells) break;
    shown.splice(shown.indexOf(column), 1);
  }
  return shown;
}
