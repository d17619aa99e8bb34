import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { clockText, dateTimeText, fieldText, offsetText, unixMsOfField } from "./time-text.ts";
import { chooseZone, daysBefore, hostZone, offsetMinutes, unixMsOfWall, wallMs, zonedDate } from "./zone.ts";

function host(zone: string): void {
  hostZone.value = zone;
  chooseZone("host");
}

afterEach(() => {
  chooseZone("browser");
  hostZone.value = null;
});

test("times are those of the chosen clock, on both sides of its change", () => {
  host("America/New_York");
  // 2026-11-01, 06:00 UTC: summer time ends.
  assert.equal(dateTimeText(Date.UTC(2026, 10, 1, 5, 59, 59)), "2026-11-01 01:59:59");
  assert.equal(dateTimeText(Date.UTC(2026, 10, 1, 6, 0, 0)), "2026-11-01 01:00:00");
  assert.equal(offsetText(Date.UTC(2026, 10, 1, 5, 59)), "UTC−04:00");
  assert.equal(offsetText(Date.UTC(2026, 10, 1, 6, 0)), "UTC−05:00");
  host("Asia/Kolkata");
  assert.equal(clockText(Date.UTC(2026, 10, 1, 6, 0, 0)), "11:30:00");
  assert.equal(offsetText(Date.UTC(2026, 10, 1)), "UTC+05:30");
  chooseZone("utc");
  assert.equal(dateTimeText(Date.UTC(2026, 10, 1, 6, 0, 0)), "2026-11-01 06:00:00");
  assert.equal(offsetText(0), "UTC");
});

test("a zone that is unknown, or not known yet, is the browser's", () => {
  const now = Date.UTC(2026, 6, 1);
  host("Mars/Olympus_Mons");
  assert.equal(offsetMinutes(now), -new Date(now).getTimezoneOffset());
  hostZone.value = null;
  assert.equal(offsetMinutes(now), -new Date(now).getTimezoneOffset());
  assert.equal(zonedDate(now).getTime(), now);
});

test("a day before is the same time of day, whether a day has 23, 24 or 25 hours", () => {
  host("Europe/Berlin");
  const hours = (from: number, to: number): number => (to - from) / 3_600_000;
  const noon = (month: number, day: number, utcHour: number): number => Date.UTC(2026, month, day, utcHour);
  assert.equal(hours(daysBefore(noon(2, 29, 10), 1), noon(2, 29, 10)), 23);
  assert.equal(hours(daysBefore(noon(9, 25, 11), 1), noon(9, 25, 11)), 25);
  assert.equal(hours(daysBefore(noon(6, 1, 10), 1), noon(6, 1, 10)), 24);
  assert.equal(hours(daysBefore(noon(9, 28, 11), 7), noon(9, 28, 11)), 7 * 24 + 1);
});

test("wall clock and Unix time lead to each other, outside of the hour that is there twice", () => {
  host("Australia/Lord_Howe"); // shifts by half an hour
  for (let day = 0; day < 365; day++) {
    const unixMs = Date.UTC(2026, 0, 1, 3) + day * 86_400_000;
    assert.equal(unixMsOfWall(wallMs(unixMs)), unixMs);
    assert.equal(unixMsOfField(fieldText(unixMs)), unixMs);
  }
});

test("a Date for local getters has the chosen clock's time", () => {
  host("Asia/Kolkata");
  const date = zonedDate(Date.UTC(2026, 10, 1, 6, 0, 0));
  assert.deepEqual([date.getHours(), date.getMinutes(), date.getDate()], [11, 30, 1]);
});

test("what is no time in a field is none", () => {
  for (const text of ["", "yesterday", "2026-13-40T99:00"])
    assert.ok(Number.isNaN(unixMsOfField(text)), text);
});
