import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { SelfUsage } from "./self-usage.ts";

function blockMs(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

test("CPU, memory and a blocked event loop show in the second and in the last ten", async (t) => {
  const self = new SelfUsage();
  t.after(() => self.stop());
  const before = self.sample(performance.now());
  assert.equal(before.daemonCpuRatio, null);
  // The histogram begins with its timer's second call.
  await pause(250);
  blockMs(500);
  await pause(250);
  const second = self.sample(performance.now());
  assert.ok((second.daemonCpuRatio ?? 0) > 0.01);
  assert.ok(second.daemonRssBytes > 10_000_000);
  assert.ok(second.daemonEventLoopDelayP99Ms > 200, `${second.daemonEventLoopDelayP99Ms} ms`);
  const shown = self.read();
  assert.equal(shown.cpuRatio, second.daemonCpuRatio);
  assert.equal(shown.eventLoopDelayP99Ms, second.daemonEventLoopDelayP99Ms);
  for (let i = 0; i < 10; i++) {
    await pause(5);
    self.sample(performance.now());
  }
  assert.ok(
    self.read().eventLoopDelayP99Ms < second.daemonEventLoopDelayP99Ms,
    "eleven samples later it has gone",
  );
});
