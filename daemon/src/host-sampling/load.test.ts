import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { Load } from "./load.ts";
import { ProcFixture } from "./proc-fixture.ts";
import { ProcScanner } from "./proc-scanner.ts";

test("load averages are read to the last digit", (t) => {
  const proc = new ProcFixture(t, { loadavg: "0.15 1.06 12.05 1/920 7391\n" });
  const values = new Load(proc.root, new ProcScanner()).sample();
  assert.equal(values.load1, 0.15);
  assert.equal(values.load5, 1.06);
  assert.equal(values.load15, 12.05);
});

test("the number of processes is that of the folders with a pid", {
  skip: process.platform !== "linux",
}, () => {
  const counted = new Load("/proc", new ProcScanner()).sample().processCount;
  const listed = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).length;
  assert.ok(counted !== null && Math.abs(counted - listed) <= 20, `${counted} counted, ${listed} listed`);
});

test("without the files all is null", (t) => {
  const values = new Load(`${new ProcFixture(t).root}/missing`, new ProcScanner()).sample();
  assert.deepEqual(values, { load1: null, load5: null, load15: null, processCount: null });
});
