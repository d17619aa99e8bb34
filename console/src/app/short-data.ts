import { PRESETS, parseTime } from "./time-range.ts";

/** Data that fill less of the range than this look like a speck at its edge. */
const SPECK_RATIO = 0.2;

/**
 * The shortest preset that shows all data, where a range ending in now holds data in its last part only, as it does
 * in an app's first minutes; null where the range fits. `arrived` says for each bucket whether it has data.
 */
export function fittingPreset(
  columns: { from: number; to: number; t0: number; stepMs: number },
  arrived: readonly boolean[],
): { preset: string; startMs: number } | null {
  const first = arrived.indexOf(true);
  if (first < 0) return null;
  const startMs = columns.t0 + first * columns.stepMs;
  const lengthMs = columns.to - columns.from;
  if ((columns.to - startMs) / lengthMs >= SPECK_RATIO) return null;
  const preset = PRESETS.find((one) => (parseTime(`now-${one}`, columns.to) ?? columns.to) <= startMs);
  if (preset === undefined || columns.to - (parseTime(`now-${preset}`, columns.to) ?? 0) >= lengthMs)
    return null;
  return { preset, startMs };
}
