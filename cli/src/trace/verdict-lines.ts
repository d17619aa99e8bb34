import type { TraceAnswer } from "@apm-daemon/protocol";
import type { Paint } from "../terminal/paint.ts";
import { cutText, textWidth } from "../terminal/text-width.ts";
import { causeText, confidenceText, nothingText, shareText } from "./verdict-words.ts";

const HEAD = "why slow: ";

/** Why the parts of a trace were slow, strongest cause first, wrapped to the width of the page. */
export function verdictLines(roots: readonly TraceAnswer[], columns: number, paint: Paint): string[] {
  return roots.flatMap(({ verdict, durationMs, app }) => {
    if (verdict === undefined) return [];
    const where = roots.length > 1 ? `${app}: ` : "";
    const causes = verdict.causes.map((cause) => `${causeText(cause)}, ${shareText(cause, durationMs)}`);
    const [first = nothingText(verdict), ...others] = causes;
    const style = causes.length === 0 ? "dim" : "yellow";
    return [
      ...wrapped(HEAD, where + first, columns).map((line) => paint(style, line)),
      ...others.flatMap((text) => wrapped("also: ".padStart(HEAD.length), text, columns)),
      ...wrapped("", confidenceText(verdict), columns).map((line) => paint("dim", line)),
    ];
  });
}

/** All lines begin where the first one's text does. */
function wrapped(head: string, text: string, columns: number): string[] {
  const indent = " ".repeat(HEAD.length);
  const lines: string[] = [];
  let line = head.padStart(HEAD.length);
  let isEmpty = true;
  for (const full of text.split(" ")) {
    const word = cutText(full, columns - HEAD.length);
    if (!isEmpty && textWidth(line) + 1 + textWidth(word) > columns) {
      lines.push(line);
      line = indent;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}
