/** A number as shown: the digits and, apart from them, the unit ("" without one). */
export interface Quantity {
  value: string;
  unit: string;
}

export type Formatter = (value: number | null | undefined) => Quantity;

/** What stands where a number is unknown. */
export const UNKNOWN = "–";
const NO_BREAK_SPACE = "\u00a0";
const unknown: Quantity = { value: UNKNOWN, unit: "" };

/** Digits and unit in one string that does not break across lines. */
export function text(quantity: Quantity): string {
  return quantity.unit === "" ? quantity.value : quantity.value + NO_BREAK_SPACE + quantity.unit;
}

function isKnown(value: number | null | undefined): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** Three significant digits, never more than two decimals: 8.61, 41.2, 412. */
function threeDigits(value: number): string {
  const size = Math.abs(value);
  if (size < 9.995) return value.toFixed(2);
  return size < 99.95 ? value.toFixed(1) : value.toFixed(0);
}

/** Milliseconds as `620 µs`, `7.9 ms`, `412 ms`, `1.38 s`, `1m 52s`, `2h 05m`. */
export const duration: Formatter = (ms) => {
  if (!isKnown(ms)) return unknown;
  if (ms === 0) return { value: "0", unit: "ms" };
  const us = Math.round(ms * 1000);
  if (us < 1000) return { value: us === 0 ? "<1" : String(us), unit: "µs" };
  if (ms < 99.95) return { value: ms.toFixed(1), unit: "ms" };
  if (ms < 999.5) return { value: ms.toFixed(0), unit: "ms" };
  if (ms < 9995) return { value: (ms / 1000).toFixed(2), unit: "s" };
  if (ms < 59_950) return { value: (ms / 1000).toFixed(1), unit: "s" };
  return { value: minutesText(Math.round(ms / 1000)), unit: "" };
};

function minutesText(seconds: number): string {
  const twoDigits = (value: number): string => String(value).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m${NO_BREAK_SPACE}${twoDigits(seconds % 60)}s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours}h${NO_BREAK_SPACE}${twoDigits(minutes % 60)}m`;
  return `${Math.floor(hours / 24)}d${NO_BREAK_SPACE}${hours % 24}h`;
}

const COUNT_STEPS: readonly [number, string][] = [
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
];

/** A count or a rate: `0`, `4`, `0.17`, `610`, `8.61k`, `1.51M`. */
export const count: Formatter = (value) => {
  if (!isKnown(value)) return unknown;
  for (const [factor, suffix] of COUNT_STEPS) {
    if (Math.abs(value) >= factor * 0.9995) return { value: threeDigits(value / factor) + suffix, unit: "" };
  }
  if (Number.isInteger(value)) return { value: String(value), unit: "" };
  if (value < 0.005) return { value: "<0.01", unit: "" };
  return { value: threeDigits(value), unit: "" };
};

/** Requests per minute. */
export const rpm: Formatter = (value) => (isKnown(value) ? { ...count(value), unit: "rpm" } : unknown);

/** A ratio 0..1 in percent: two decimals under 10, one above; `<0.01 %`; a true zero is `0`. */
export const percent: Formatter = (ratio) => {
  if (!isKnown(ratio)) return unknown;
  if (ratio === 0) return { value: "0", unit: "" };
  const value = ratio * 100;
  if (value > 0 && value < 0.005) return { value: "<0.01", unit: "%" };
  return { value: Math.abs(value) < 9.995 ? value.toFixed(2) : value.toFixed(1), unit: "%" };
};

/** Bytes of memory or disk in binary units: `512 B`, `7.80 GiB`. */
export const bytes: Formatter = (value) =>
  isKnown(value) ? scaled(value, 1024, ["B", "KiB", "MiB", "GiB", "TiB"]) : unknown;

/** Bytes per second of disk or network in decimal units: `1.20 MB/s`. */
export const bytesPerSecond: Formatter = (value) =>
  isKnown(value) ? scaled(value, 1000, ["B/s", "kB/s", "MB/s", "GB/s"]) : unknown;

function scaled(value: number, base: number, units: readonly string[]): Quantity {
  let index = 0;
  let rest = value;
  while (Math.abs(rest) >= base * 0.9995 && index < units.length - 1) {
    rest /= base;
    index++;
  }
  return { value: index === 0 ? String(Math.round(rest)) : threeDigits(rest), unit: units[index] ?? "" };
}

/** An Apdex score with its two decimals. */
export const score: Formatter = (value) => (isKnown(value) ? { value: value.toFixed(2), unit: "" } : unknown);

/** A plain number such as a load average: two decimals under 10. */
export const plain: Formatter = (value) =>
  isKnown(value) ? { value: value === 0 ? "0" : threeDigits(value), unit: "" } : unknown;
