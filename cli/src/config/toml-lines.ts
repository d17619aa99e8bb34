/**
 * Line (from 1) at which a TOML text sets the key at `path`, or null where that cannot be told. It reads lines, not
 * TOML: good enough to point a reader at a place in a text that a real parser has accepted.
 */
export function tomlLineOf(text: string, path: readonly string[]): number | null {
  const wanted = path.join("\0");
  let table: string[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const header = /^\s*\[\[?([^[\]]+)\]\]?\s*(?:#.*)?$/.exec(line);
    if (header) table = keyParts(header[1] ?? "");
    const assigned = header ? null : /^\s*([^=#]+?)\s*=/.exec(line);
    const here = assigned ? [...table, ...keyParts(assigned[1] ?? "")] : table;
    if ((header || assigned) && here.join("\0") === wanted) return index + 1;
  }
  return null;
}

/** `a."b.c".d` -> ["a", "b.c", "d"] */
function keyParts(text: string): string[] {
  const parts = text.match(/"(?:[^"\\]|\\.)*"|'[^']*'|[^\s.]+/g) ?? [];
  return parts.map((part) => (/^["']/.test(part) ? part.slice(1, -1) : part));
}
