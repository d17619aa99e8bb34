import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bytes,
  bytesPerSecond,
  count,
  duration,
  type Formatter,
  percent,
  rpm,
  score,
  text,
} from "./number-text.ts";

function shows(formatter: Formatter, value: number | null | undefined, expected: string): void {
  assert.equal(text(formatter(value)).replaceAll("\u00a0", " "), expected);
}

test("durations take the unit that keeps three digits", () => {
  shows(duration, 0.62, "620 µs");
  shows(duration, 7.9, "7.9 ms");
  shows(duration, 70.34, "70.3 ms");
  shows(duration, 412.4, "412 ms");
  shows(duration, 1380, "1.38 s");
  shows(duration, 12_400, "12.4 s");
  shows(duration, 112_000, "1m 52s");
  shows(duration, 7_500_000, "2h 05m");
});

test("durations on both sides of a unit's border never show 1000 of the smaller one", () => {
  shows(duration, 0.9994, "999 µs");
  shows(duration, 0.9996, "1.0 ms");
  shows(duration, 99.94, "99.9 ms");
  shows(duration, 99.96, "100 ms");
  shows(duration, 999.4, "999 ms");
  shows(duration, 999.6, "1.00 s");
  shows(duration, 59_949, "59.9 s");
  shows(duration, 59_999, "1m 00s");
});

test("what is unknown is a dash and what is zero is zero", () => {
  for (const formatter of [duration, count, rpm, percent, bytes, bytesPerSecond, score]) {
    shows(formatter, null, "–");
    shows(formatter, undefined, "–");
    shows(formatter, Number.NaN, "–");
  }
  shows(duration, 0, "0 ms");
  shows(percent, 0, "0");
  shows(count, 0, "0");
});

test("percentages have two decimals under ten and one above", () => {
  shows(percent, 0.0029, "0.29 %");
  shows(percent, 0.09994, "9.99 %");
  shows(percent, 0.09996, "10.0 %");
  shows(percent, 0.314, "31.4 %");
  shows(percent, 1, "100.0 %");
  shows(percent, 0.00004, "<0.01 %");
});

test("counts shorten from one thousand on", () => {
  shows(count, 999, "999");
  shows(count, 1000, "1.00k");
  shows(rpm, 8612, "8.61k rpm");
  shows(count, 41_230, "41.2k");
  shows(count, 999_900, "1.00M");
  shows(count, 0.166, "0.17");
});

test("memory counts by 1024 and networks by 1000", () => {
  shows(bytes, 1023, "1023 B");
  shows(bytes, 7.8 * 1024 ** 3, "7.80 GiB");
  shows(bytesPerSecond, 1_200_000, "1.20 MB/s");
});
