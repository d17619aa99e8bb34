import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Journal } from "../journal/journal.ts";
import { helloOf } from "../testing/agent-peer.ts";
import { tempDir } from "../testing/temp-dir.ts";
import { InstanceRegistry, InstanceTaken } from "./instance-registry.ts";
import type { PeerCredentials } from "./peer-credentials.ts";

test("apps beyond the 200th are counted together as (other), those known before as themselves", (t) => {
  const journal = new Journal({ dir: tempDir(t), segmentBytes: 4_000, capBytes: 1e9, fsync: "seal" });
  t.after(() => journal.close());
  const registry = new InstanceRegistry(journal);
  const appOf = (number: number, instance: string): string =>
    registry.greet(helloOf({ app: `app${number}`, instance })).app;
  for (let number = 1; number <= 200; number++) assert.equal(appOf(number, `i${number}`), `app${number}`);
  assert.deepEqual([appOf(201, "i201"), appOf(202, "i202")], ["(other)", "(other)"]);
  assert.equal(appOf(7, "again"), "app7");
});

function registryIn(t: TestContext): InstanceRegistry {
  const journal = new Journal({ dir: tempDir(t), segmentBytes: 4_000, capBytes: 1e9, fsync: "seal" });
  t.after(() => journal.close());
  return new InstanceRegistry(journal);
}

/** No such process can be. */
const GONE_PID = 4_194_305;

test("an instance belongs to the user who came with it first; nobody else can move its sequence", (t) => {
  const registry = registryIn(t);
  const mine = registry.greet(helloOf(), { uid: 1_000, gid: 1_000, pid: GONE_PID });
  assert.deepEqual([mine.origin, mine.uid, mine.pid], ["proven", 1_000, GONE_PID]);
  mine.lastSequence = 5;
  for (const uid of [0, 1_001, 65_534])
    assert.throws(
      () => registry.greet(helloOf({ firstUnacknowledged: 1_000 }), { uid, gid: 0, pid: GONE_PID + 1 }),
      InstanceTaken,
    );
  assert.deepEqual([mine.lastSequence, mine.connections, mine.uid], [5, 1, 1_000]);
  assert.equal(registry.greet(helloOf(), { uid: 1_000, gid: 1_000, pid: GONE_PID + 2 }), mine);
});

test("the same process may come back as another user, another process with its pid may not", (t) => {
  const registry = registryIn(t);
  const mine = registry.greet(helloOf(), { uid: 0, gid: 0, pid: process.pid });
  assert.equal(registry.greet(helloOf(), { uid: 33, gid: 33, pid: process.pid }), mine);
  assert.equal(mine.uid, 33);
  Object.assign(mine, { startTicks: (mine.startTicks ?? 0) - 1 });
  assert.throws(() => registry.greet(helloOf(), { uid: 0, gid: 0, pid: process.pid }), InstanceTaken);
});

test("the journal's record keeps whose an instance is; one of an earlier release belongs to who comes first", (t) => {
  const registry = registryIn(t);
  const mine = registry.greet(helloOf({ appVersion: "1.4.2" }), { uid: 7, gid: 7, pid: GONE_PID });
  const after = registryIn(t);
  const recovered = after.recover(mine.journal.json, false);
  assert.equal(recovered?.appVersion, "1.4.2");
  assert.deepEqual([recovered?.uid, recovered?.pid, recovered?.claimedPid], [7, GONE_PID, process.pid]);
  assert.throws(() => after.greet(helloOf(), { uid: 8, gid: 8, pid: GONE_PID }), InstanceTaken);

  const { firstUnacknowledged: _, ...old } = helloOf({ instance: "b".repeat(32) });
  assert.equal(after.recover(JSON.stringify(old), false)?.uid, null);
  const first = after.greet(helloOf({ instance: old.instance }), { uid: 8, gid: 8, pid: GONE_PID });
  assert.deepEqual([first.uid, first.origin], [8, "proven"]);
});

test("without proof an app is what it claims; a claim against the proof is called false", (t) => {
  const registry = registryIn(t);
  const claimed = registry.greet(helloOf({ pid: 77 }));
  assert.deepEqual([claimed.origin, claimed.uid, claimed.pid], ["claimed", null, 77]);
  const outside = registry.greet(helloOf({ instance: "b".repeat(32), pid: 77 }), {
    uid: 7,
    gid: 7,
    pid: null,
  });
  assert.deepEqual([outside.origin, outside.uid, outside.pid], ["claimed", 7, 77]);
  const liar = registry.greet(helloOf({ instance: "c".repeat(32), pid: 77 }), {
    uid: 7,
    gid: 7,
    pid: GONE_PID,
  });
  assert.deepEqual([liar.pid, liar.claimedPid, liar.isClaimFalse], [GONE_PID, 77, true]);
});

test("a user who makes many instances is forgotten first, not the others", (t) => {
  const registry = registryIn(t);
  const peer = (uid: number): PeerCredentials => ({ uid, gid: uid, pid: null });
  const good = registry.greet(helloOf({ instance: "good" }), peer(1));
  good.lastSequence = 9;
  registry.leave(good, 0);
  for (let number = 0; number < 10_100; number++)
    registry.leave(registry.greet(helloOf({ instance: `hostile${number}` }), peer(2)), 0);
  assert.equal(registry.greet(helloOf({ instance: "good" }), peer(1)).lastSequence, 9);
});
