/** Text of anything: apps in JavaScript may hand on what the types forbid. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : String(value);
}

/** A text of at most `maxChars` characters; a shortened one ends in "…" and never in half a surrogate pair. */
export function truncate(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  const isPairCut = (text.charCodeAt(maxChars - 2) & 0xfc00) === 0xd800;
  return `${text.slice(0, maxChars - (isPairCut ? 2 : 1))}…`;
}
