import type { Paint } from "./paint.ts";

/** A part of a bar: its share of the whole, 0 to 1, and the letter that shows it. */
export interface BarPart {
  ratio: number;
  letter: string;
  style: Parameters<Paint>[0];
}

/** Parts side by side in exactly so many cells, in brackets; together they are as long as their sum, to half a cell. */
export function bar(parts: readonly BarPart[], cells: number, paint: Paint): string {
  const inner = cells - 2;
  let sum = 0;
  let drawn = 0;
  let text = "";
  for (const { ratio, letter, style } of parts) {
    sum += Number.isFinite(ratio) ? Math.max(0, ratio) : 0;
    const end = Math.min(inner, Math.round(sum * inner));
    if (end > drawn) text += paint(style, letter.repeat(end - drawn));
    drawn = Math.max(drawn, end);
  }
  return `[${text}${" ".repeat(inner - drawn)}]`;
}
