import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { HOST_METRICS } from "@apm-daemon/protocol";
import { HostSampler } from "./host-sampler.ts";
import { PortableSampler } from "./portable-sampler.ts";

test("systeminformation gives the core numbers under the names of the table", async (t) => {
  const sampler = new PortableSampler();
  t.after(() => sampler.stop());
  let values = sampler.sample(0);
  assert.deepEqual(values, {}, "nothing is known before the first reading");
  for (let i = 1; i < 100 && values["memTotalBytes"] === undefined; i++) {
    await pause(50);
    values = sampler.sample(i);
  }
  const names = new Set(HOST_METRICS.map((metric) => metric.name));
  assert.deepEqual(
    Object.keys(values).filter((name) => !names.has(name)),
    [],
  );
  const used = values["memUsedBytes"] ?? 0;
  assert.ok(used > 0 && used < (values["memTotalBytes"] ?? 0));
  const idle = values["cpuIdleRatio"] ?? -1;
  assert.ok(idle >= 0 && idle <= 1);
});

test("a host without /proc still has its second each tick", (t) => {
  const sampler = new HostSampler({ procRoot: "/nonexistent" });
  t.after(() => sampler.stop());
  sampler.tick(100, 0);
  sampler.tick(101, 1000);
  assert.deepEqual(sampler.drain().tsSec, [100, 101]);
  assert.equal(sampler.snapshot().tsSec, 101);
});
