import { noPaint, type Paint } from "./paint.ts";
import { cutText, textWidth } from "./text-width.ts";

/** A piece of a line; `style` is how it is painted. */
export interface Piece {
  text: string;
  style?: Parameters<Paint>[0];
}

/** As many of the pieces as fit into a line, in their order; the first is cut when it alone is too long. */
export function fittedLine(pieces: readonly Piece[], cells: number, paint: Paint = noPaint): string {
  let line = "";
  let used = 0;
  for (const { text, style } of pieces) {
    const gap = used === 0 ? 0 : 2;
    const shown = used === 0 ? cutText(text, cells) : text;
    const width = textWidth(shown);
    if (used + gap + width > cells) break;
    line += " ".repeat(gap) + (style === undefined ? shown : paint(style, shown));
    used += gap + width;
  }
  return line;
}
