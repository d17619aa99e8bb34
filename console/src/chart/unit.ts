import {
  bytes,
  bytesPerSecond,
  count,
  duration,
  type Formatter,
  percent,
  plain,
  score,
} from "../ui/number-text.ts";

/** What a chart's values measure; one chart has one. */
export type Unit = "ms" | "ratio" | "count" | "bytes" | "bytesPerSecond" | "score" | "plain";

/** How single values of a unit are written. */
export const FORMATTERS: Readonly<Record<Unit, Formatter>> = {
  ms: duration,
  ratio: percent,
  count,
  bytes,
  bytesPerSecond,
  score,
  plain,
};

/** Names of a unit's magnitudes, each with its size in the unit of the data; smallest first. */
const MAGNITUDES: Readonly<Record<Unit, readonly [number, string][]>> = {
  ms: [
    [0.001, " µs"],
    [1, " ms"],
    [1000, " s"],
    [60_000, " min"],
  ],
  ratio: [[0.01, "%"]],
  count: [
    [1, ""],
    [1e3, "k"],
    [1e6, "M"],
    [1e9, "G"],
  ],
  bytes: [
    [1, " B"],
    [1024, " KiB"],
    [1024 ** 2, " MiB"],
    [1024 ** 3, " GiB"],
    [1024 ** 4, " TiB"],
  ],
  bytesPerSecond: [
    [1, " B/s"],
    [1e3, " kB/s"],
    [1e6, " MB/s"],
    [1e9, " GB/s"],
  ],
  score: [[1, ""]],
  plain: [
    [1, ""],
    [1e3, "k"],
    [1e6, "M"],
  ],
};

/** Labels of evenly spaced axis marks, all in the one magnitude that suits the largest. */
export function axisLabels(unit: Unit, marks: readonly number[]): string[] {
  const largest = Math.max(0, ...marks.map(Math.abs));
  const gap = Math.abs((marks[1] ?? largest) - (marks[0] ?? 0)) || largest || 1;
  const [size, name] = magnitudeOf(unit, largest);
  const decimals = decimalsOf(gap / size);
  return marks.map((mark) => `${(mark / size).toFixed(decimals)}${name}`);
}

/** Decimals that tell marks apart which lie this far from each other, at most three. */
function decimalsOf(gap: number): number {
  for (const decimals of [0, 1, 2]) {
    const scaled = gap * 10 ** decimals;
    if (scaled >= 0.999 && Math.abs(scaled - Math.round(scaled)) < 0.001) return decimals;
  }
  return gap >= 1 ? 1 : 3;
}

function magnitudeOf(unit: Unit, largest: number): readonly [number, string] {
  const magnitudes = MAGNITUDES[unit];
  let chosen = magnitudes[0] ?? [1, ""];
  for (const magnitude of magnitudes) {
    if (largest >= magnitude[0] * (magnitude[0] === 60_000 ? 2 : 1)) chosen = magnitude;
  }
  return chosen;
}

/** Marks 1, 2, 5, 10, 20, … that enclose low..high on a logarithmic axis; both ends are marks. */
export function logMarks(low: number, high: number): number[] {
  const ladder: number[] = [];
  const start = Math.floor(Math.log10(low));
  for (let exponent = start; exponent <= Math.ceil(Math.log10(high)) + 1; exponent++) {
    for (const step of [1, 2, 5]) ladder.push(Number(`${step}e${exponent}`));
  }
  const first = Math.max(
    0,
    ladder.findLastIndex((mark) => mark <= low),
  );
  let last = ladder.findIndex((mark) => mark >= high);
  if (last <= first) last = first + 1;
  return ladder.slice(first, last + 1);
}

/** Distances that bytes are marked at: powers of two, so that labels stay round. */
export const BYTE_STEPS: number[] = Array.from({ length: 50 }, (_, exponent) => 2 ** exponent);
