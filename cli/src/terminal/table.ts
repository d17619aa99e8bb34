const GRAPHEMES = new Intl.Segmenter();
/** What terminals show two cells wide: Chinese, Japanese and Korean letters, full-width forms, pictures. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u;

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

/** Cells that a text takes in a terminal. */
function textWidth(text: string): number {
  let width = 0;
  for (const { segment } of GRAPHEMES.segment(text)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}
