import assert from "node:assert/strict";
import { test } from "node:test";
import { Pressure } from "./pressure.ts";
import { ProcFixture } from "./proc-fixture.ts";
import { ProcScanner } from "./proc-scanner.ts";

function stalls(someUs: number, fullUs: number): string {
  return `some avg10=1.40 avg60=1.00 avg300=0.59 total=${someUs}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=${fullUs}\n`;
}

test("shares are stalled time between two samples, at most 1", (t) => {
  const proc = new ProcFixture(t, {
    "pressure/cpu": stalls(1_000, 0),
    "pressure/memory": stalls(500_000, 100_000),
    "pressure/io": stalls(0, 0),
  });
  const pressure = new Pressure(proc.root, new ProcScanner());
  assert.ok(Object.values(pressure.sample(Number.NaN)).every((value) => value === null));
  proc.write("pressure/cpu", stalls(501_000, 0));
  proc.write("pressure/memory", stalls(1_000_000, 350_000));
  proc.write("pressure/io", stalls(1_000_300, 5));
  assert.deepEqual(pressure.sample(1), {
    psiCpuSomeRatio: 0.5,
    psiMemorySomeRatio: 0.5,
    psiMemoryFullRatio: 0.25,
    psiIoSomeRatio: 1,
    psiIoFullRatio: 0.000005,
  });
});

test("a kernel without PSI gives nulls, not zeros", (t) => {
  const pressure = new Pressure(new ProcFixture(t).root, new ProcScanner());
  pressure.sample(Number.NaN);
  assert.ok(Object.values(pressure.sample(1)).every((value) => value === null));
});

test("a kernel whose cpu file has no full line gives the others", (t) => {
  const proc = new ProcFixture(t, { "pressure/cpu": "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n" });
  const pressure = new Pressure(proc.root, new ProcScanner());
  pressure.sample(Number.NaN);
  assert.equal(pressure.sample(1).psiCpuSomeRatio, 0);
});

test("a total that goes back gives null", (t) => {
  const proc = new ProcFixture(t, { "pressure/io": stalls(900, 900) });
  const pressure = new Pressure(proc.root, new ProcScanner());
  pressure.sample(Number.NaN);
  proc.write("pressure/io", stalls(10, 901));
  const values = pressure.sample(1);
  assert.equal(values.psiIoSomeRatio, null);
  assert.equal(values.psiIoFullRatio, 0.000001);
});
