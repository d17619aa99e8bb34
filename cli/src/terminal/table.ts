import { textWidth } from "./text-width.ts";

export interface Column {
  title: string;
  align: "left" | "right";
}

/** Lines of a table, the titles first; widths fit the widest cell and columns are two spaces apart. */
export function tableLines(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const lines = [columns.map((column) => column.title), ...rows];
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => textWidth(line[i] ?? ""))));
  return lines.map((line) =>
    columns
      .map(({ align }, i) => {
        const cell = line[i] ?? "";
        const padding = " ".repeat(Math.max(0, (widths[i] ?? 0) - textWidth(cell)));
        return align === "left" ? cell + padding : padding + cell;
      })
      .join("  ")
      .trimEnd(),
  );
}
