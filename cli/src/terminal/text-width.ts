const GRAPHEMES = new Intl.Segmenter();
/** What terminals show two cells wide: Chinese, Japanese and Korean letters, full-width forms, pictures. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u;

/** Cells that a text takes in a terminal. */
export function textWidth(text: string): number {
  let width = 0;
  for (const { segment } of GRAPHEMES.segment(text)) width += cellsOf(segment);
  return width;
}

/** The text in at most so many cells; what is cut ends in "…". */
export function cutText(text: string, cells: number): string {
  if (cells < 1) return "";
  let kept = "";
  let width = 0;
  for (const { segment } of GRAPHEMES.segment(text)) {
    width += cellsOf(segment);
    if (width > cells) return cutTail(kept, cells);
    kept += segment;
  }
  return kept;
}

function cutTail(kept: string, cells: number): string {
  const graphemes = Array.from(GRAPHEMES.segment(kept), ({ segment }) => segment);
  while (textWidth(graphemes.join("")) > cells - 1) graphemes.pop();
  return `${graphemes.join("")}…`;
}

function cellsOf(grapheme: string): number {
  return WIDE.test(grapheme) ? 2 : 1;
}
