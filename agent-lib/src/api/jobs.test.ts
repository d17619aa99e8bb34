import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { schedule } from "node-cron";
import { action, start, stop } from "../index.ts";
import { DaemonPeer, until } from "../test-support/daemon-peer.ts";

const peer = new DaemonPeer();

before(async () => {
  await peer.listen();
  start({ socket: peer.path, appName: "jobs", log: false });
});

after(async () => {
  stop();
  await peer.close();
});

test("each run of a node-cron job is an action of its own, also of one that was scheduled within an action", async () => {
  let runs = 0;
  const task = action("boot", () =>
    schedule("* * * * * *", () =>
      action("every second", async () => {
        await new Promise((resolve) => setImmediate(resolve));
        if (++runs === 2) throw new RangeError("second run");
      }),
    ),
  );
  await until(() => peer.named("every second").length >= 2, "two runs arrive");
  await task.stop();
  await task.destroy();
  const [first, second] = peer.named("every second");
  assert.deepEqual([first?.isLocalRoot, first?.parentId, first?.hasError], [true, "", false]);
  assert.deepEqual([second?.isLocalRoot, second?.hasError], [true, true]);
  assert.equal(second?.attributes["error.type"], "RangeError");
  const [boot] = peer.named("boot");
  assert.equal(new Set([boot?.traceId, first?.traceId, second?.traceId]).size, 3);
});

test("each tick of a timer is an action of its own", async () => {
  const timer = action("set the timer", () => setInterval(() => action("tick", () => undefined), 10));
  await until(() => peer.named("tick").length >= 3, "three ticks arrive");
  clearInterval(timer);
  const ticks = peer.named("tick");
  assert.ok(ticks.every(({ isLocalRoot, parentId }) => isLocalRoot && parentId === ""));
  assert.equal(new Set(ticks.map(({ traceId }) => traceId)).size, ticks.length);
});
