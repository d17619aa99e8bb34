/** A part of the heatmap as the address says it: times of end, and durations above `minMs` up to `maxMs` (null: no limit). */
export interface Selected {
  fromMs: number;
  toMs: number;
  minMs: number;
  maxMs: number | null;
}

/** `1795420800000,1795420860000,512.4,1024`; the last is empty for no limit. Four digits tell histogram buckets apart. */
export function selectionText({ fromMs, toMs, minMs, maxMs }: Selected): string {
  const digits = (ms: number): string => String(Number(ms.toPrecision(4)));
  return [fromMs, toMs, digits(minMs), maxMs === null ? "" : digits(maxMs)].join(",");
}

/** Null for what is none, as in an address that was cut. */
export function parseSelection(text: string | null): Selected | null {
  const match = /^(\d{12,14}),(\d{12,14}),(\d+(?:\.\d+)?),(\d+(?:\.\d+)?)?$/.exec(text ?? "");
  if (!match) return null;
  const [fromMs = 0, toMs = 0, minMs = 0] = match.slice(1, 4).map(Number);
  const maxMs = match[4] === undefined ? null : Number(match[4]);
  return fromMs < toMs && (maxMs === null || minMs < maxMs) ? { fromMs, toMs, minMs, maxMs } : null;
}
