import assert from "node:assert/strict";
import { test } from "node:test";
import { csvText } from "./csv.ts";

test("unknown values are empty cells and times are UTC", () => {
  const columns = [
    { label: "code", values: [1.5, null] },
    { label: "database", values: [0, 2] },
  ];
  assert.equal(
    csvText(Date.UTC(2026, 10, 23), 10_000, columns),
    'time,"code","database"\r\n2026-11-23T00:00:00.000Z,1.5,0\r\n2026-11-23T00:00:10.000Z,,2\r\n',
  );
});

test("labels cannot break out of their cell or act as a formula", () => {
  assert.equal(csvText(0, 1000, [{ label: '=1+1"', values: [] }]), 'time,"\'=1+1"""\r\n');
});
