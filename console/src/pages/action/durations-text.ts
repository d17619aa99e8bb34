import { duration, text } from "../../ui/number-text.ts";

/** `800 ms–1.02 s`, `> 1.02 s`. */
export function durationsText(minMs: number, maxMs: number | null): string {
  if (maxMs === null) return `> ${text(duration(minMs))}`;
  return `${text(duration(minMs))}–${text(duration(maxMs))}`;
}
