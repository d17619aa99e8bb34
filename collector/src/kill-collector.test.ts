import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import { test } from "node:test";
import { KeyStore } from "./key-store.ts";
import { HandUplink } from "./testing/hand-uplink.ts";
import { RunningCollector, temporaryFolder } from "./testing/running-collector.ts";
import { encoded, sampleHeader, sampleRequests } from "./testing/sample-batch.ts";
import { spawnCollector } from "./testing/spawn-collector.ts";

const KILLS = 6;

test("kill -9 in the middle of writes: every acknowledged batch is there, and none is there twice", async () => {
  const stateDir = temporaryFolder();
  const { key } = new KeyStore(stateDir).create("kill");
  const stream = randomUUID();
  const createdUnixMs = Date.now();
  const tsSec = Math.floor(createdUnixMs / 10_000) * 10 - 10;
  // Batch n has one request of action n, so that a lost or doubled batch is seen by name.
  const batch = (number: number): Buffer =>
    encoded(
      sampleHeader({
        stream,
        number,
        createdUnixMs,
        actions: [sampleRequests([1_000], { tsSec, action: `batch ${number}` })],
      }),
    );
  const acked = new Set<number>();
  let sent = 0;
  for (let kill = 1; kill <= KILLS; kill++) {
    const collector = await spawnCollector(stateDir);
    const uplink = await HandUplink.connect(collector.firstLine, key, stream);
    // What the last kill left unanswered comes again, as a daemon would send it.
    for (let number = 1; number <= sent; number++) if (!acked.has(number)) uplink.socket.send(batch(number));
    const wanted = acked.size + 15 + 7 * kill;
    while (acked.size < wanted) {
      while (sent - acked.size < 25) uplink.socket.send(batch(++sent));
      const answer = await uplink.next();
      assert.equal(answer.type, "ack", JSON.stringify(answer));
      acked.add(answer.number);
    }
    await collector.kill();
  }

  const collector = await RunningCollector.start({ state_dir: stateDir, clock: Date.now });
  const { body } = await collector.get<{ actions: { action: string; requests: number }[] }>(
    "apps/shop/actions",
  );
  const counts = new Map(body.actions.map(({ action, requests }) => [action, requests]));
  for (const number of acked) assert.equal(counts.get(`batch ${number}`), 1, `batch ${number}`);
  assert.deepEqual([...new Set(counts.values())], [1]);
  assert.ok(acked.size >= KILLS * 15);

  const uplink = await HandUplink.connect(collector.url, key, stream);
  for (let number = 1; number <= sent; number++)
    assert.equal((await uplink.deliver(batch(number))).type, "ack");
  const all = await collector.get<{ requests: number }>("apps/shop/summary");
  assert.equal(all.body.requests, sent);
  await uplink.close();
  await collector.stop();
  fs.rmSync(stateDir, { recursive: true });
});
