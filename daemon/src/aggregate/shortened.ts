import { MAX_NAME_CHARS } from "@apm-daemon/protocol";

/**
 * Agents shorten what they send; this holds for the others too, so that no text outgrows what a collector takes. Never ends in half a
 * surrogate pair.
 */
export function shortened(text: string, maxChars: number = MAX_NAME_CHARS): string {
  if (text.length <= maxChars) return text;
  const last = text.charCodeAt(maxChars - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? maxChars - 1 : maxChars);
}
