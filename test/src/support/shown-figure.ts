import assert from "node:assert/strict";

/** The values, in ms, counts or ratios, that a figure of the console may stand for: it was rounded to its last digit. */
interface ShownFigure {
  low: number;
  high: number;
}

const UNITS: Record<string, number> = { "": 1, "%": 0.01, µs: 0.001, ms: 1, s: 1_000, k: 1_000, M: 1e6 };
/** What adds up differently at the end of a double, and half-way cases that round either way. */
const SLACK = 1e-9;

/** Reads "7.9 ms", "41.2 %", "8.61k", "0.17" or "60". Throws on what is none, such as the dash of what is unknown. */
export function shownFigure(text: string): ShownFigure {
  const [, digits = "", unit = ""] = /^\s*(\d+(?:\.\d+)?)[\s\u00a0]*(%|µs|ms|s|k|M)?\s*$/.exec(text) ?? [];
  const factor = UNITS[unit];
  if (digits === "" || factor === undefined) throw new Error(`"${text}" is no figure`);
  const value = Number(digits);
  const decimals = digits.split(".")[1]?.length ?? 0;
  const half = 0.5 * 10 ** -decimals + SLACK;
  // A zero is a true one: what is less than its last digit is written as "<".
  return value === 0 ? { low: 0, high: 0 } : { low: (value - half) * factor, high: (value + half) * factor };
}

/** A figure must be able to stand for a value that is known to lie between two. */
export function assertBetween(what: string, text: string | undefined, low: number, high: number): void {
  assert.ok(text !== undefined, `${what} is not shown`);
  const shown = shownFigure(text);
  const slack = SLACK * Math.max(1, high);
  assert.ok(
    shown.high >= low - slack && shown.low <= high + slack,
    `${what} is shown as ${text}; it lies between ${low} and ${high}`,
  );
}

/** A figure must be that of one value, as it is rounded. */
export function assertShown(what: string, text: string | undefined, value: number): void {
  assertBetween(what, text, value, value);
}
