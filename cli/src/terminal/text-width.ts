/** Letters, signs and lines that each are one cell by themselves, as nearly all that is printed. */
const SIMPLE = /^[\u0020-\u007e\u00a0-\u02ff\u2010-\u2027\u2030-\u205e\u2190-\u21ff\u2500-\u25fc]*$/;
/** What terminals show two cells wide: Chinese, Japanese and Korean letters, full-width forms, pictures. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u;

let segmenter: Intl.Segmenter | undefined;

/** Cells that a text takes in a terminal. */
export function textWidth(text: string): number {
  if (SIMPLE.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes(text)) width += cellsOf(segment);
  return width;
}

/** The text in at most so many cells; what is cut ends in "…". */
export function cutText(text: string, cells: number): string {
  if (cells < 1) return "";
  if (SIMPLE.test(text)) return text.length <= cells ? text : `${text.slice(0, cells - 1)}…`;
  let kept = "";
  let width = 0;
  for (const { segment } of graphemes(text)) {
    width += cellsOf(segment);
    if (width > cells) return cutTail(kept, cells);
    kept += segment;
  }
  return kept;
}

function cutTail(kept: string, cells: number): string {
  const letters = Array.from(graphemes(kept), ({ segment }) => segment);
  while (textWidth(letters.join("")) > cells - 1) letters.pop();
  return `${letters.join("")}…`;
}

/** Made when it is first needed: that takes 10 ms, a tenth of a short run. */
function graphemes(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter();
  return segmenter.segment(text);
}

function cellsOf(grapheme: string): number {
  return WIDE.test(grapheme) ? 2 : 1;
}
