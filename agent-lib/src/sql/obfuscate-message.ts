/**
 * A database's error message without values, e.g. "Duplicate entry ?": all from the first quote to the last one goes,
 * for a quoted value may hold quotes itself. Digits go too; error codes are recorded apart.
 */
export function obfuscateMessage(message: string): string {
  const first = message.search(/['"`]/);
  if (first === -1) return message.replace(/\d+/g, "?");
  const last = Math.max(message.lastIndexOf("'"), message.lastIndexOf('"'), message.lastIndexOf("`"));
  const rest = last === first ? "" : message.slice(last + 1);
  return `${message.slice(0, first)}?${rest}`.replace(/\d+/g, "?");
}
