import assert from "node:assert/strict";
import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type ActionRow, decodeBatch } from "@apm-daemon/protocol";
import { Outbox } from "../outbox/outbox.ts";
import { sampleBatch } from "../testing/sample-header.ts";
import { type Sending, sendingOf } from "../testing/sending-of.ts";
import { tempDir } from "../testing/temp-dir.ts";

const MALFORMED = { code: "BATCH_MALFORMED", message: "a row is absurd" };
const rowsOf = (count: number): ActionRow[] =>
  Array.from({ length: count }, (_, i) => ({ action: `a${i}` }) as ActionRow);

async function holding(
  t: TestContext,
  rows: ActionRow[],
): Promise<Sending & { outbox: Outbox; dir: string }> {
  const dir = tempDir(t);
  const outbox = new Outbox({ dir, capBytes: 1e9 });
  const bytes = sampleBatch(1, { actions: rows });
  await outbox.write(1, bytes);
  outbox.offer(1, bytes.length, 0);
  return { ...sendingOf(t, outbox, dir), outbox, dir };
}

/** Sends all that waits to a collector that refuses batches with certain rows; answers the actions that it stored. */
async function deliver({ queue, refused }: Sending, isBad: (action: string) => boolean): Promise<string[]> {
  const stored: string[] = [];
  for (let key = queue.next(() => false, false); key !== null; key = queue.next(() => false, false)) {
    const bytes = queue.read(key) as Uint8Array;
    const actions = decodeBatch(bytes).header.actions.map(({ action }) => action);
    queue.sent(key, bytes.length);
    if (actions.some(isBad)) {
      await refused.take(key, MALFORMED);
    } else {
      stored.push(...actions);
      queue.delete(key);
    }
  }
  return stored.sort();
}

test("of 1,000 rows with three bad ones 997 are stored, three are dead letters, each alone", async (t) => {
  const sending = await holding(t, rowsOf(1_000));
  const bad = new Set(["a0", "a499", "a999"]);
  const stored = await deliver(sending, (action) => bad.has(action));
  const good = rowsOf(1_000)
    .map(({ action }) => action)
    .filter((action) => !bad.has(action));
  assert.deepEqual(stored, good.sort());
  const lost = sending.lost.map(({ header }) => header?.actions.map(({ action }) => action).join());
  assert.deepEqual(new Set(lost), bad);
  assert.deepEqual([sending.deadLetters.count, sending.refused.deadLettered], [3, 3]);
  assert.deepEqual([sending.queue.count, sending.queue.bytes], [0, 0]);
  assert.equal(sending.logged.sentences.length, 1, "one line for letters in a row");
});

test("a batch whose every row is bad is given up in some hundred pieces, not in thousands", async (t) => {
  const sending = await holding(t, rowsOf(3_000));
  assert.deepEqual(await deliver(sending, () => true), []);
  const given = sending.lost.flatMap(({ header }) => header?.actions ?? []);
  assert.equal(given.length, 3_000);
  assert.ok(sending.lost.length <= 257, `${sending.lost.length} letters`);
});

test("what is no fault of a row goes whole", async (t) => {
  for (const code of ["BATCH_CORRUPT", "CODEC_UNSUPPORTED"]) {
    const sending = await holding(t, rowsOf(10));
    await sending.refused.take("1", { code, message: "no" });
    assert.deepEqual(
      sending.lost.map(({ header, code: lostCode }) => [header?.actions.length, lostCode]),
      [[10, code]],
    );
    assert.equal(sending.queue.count, 0);
  }
});

test("a batch is kept until the disk takes what becomes of it", async (t) => {
  const sending = await holding(t, rowsOf(2));
  const parts = join(sending.dir, "parts");
  rmSync(parts, { recursive: true });
  await assert.rejects(sending.refused.take("1", MALFORMED), { code: "ENOENT" });
  assert.deepEqual([sending.outbox.numbers(), sending.parts.count], [[1], 0]);
  mkdirSync(parts);
  assert.deepEqual(await deliver(sending, (action) => action === "a1"), ["a0"]);
});

test("halves of a batch that cannot be deleted are not sent beside it", {
  skip: process.getuid?.() === 0 ? "root may delete everything" : false,
}, async (t) => {
  const sending = await holding(t, rowsOf(2));
  chmodSync(sending.dir, 0o500);
  t.after(() => chmodSync(sending.dir, 0o700));
  await assert.rejects(sending.refused.take("1", MALFORMED), { code: "EACCES" });
  assert.deepEqual([sending.outbox.numbers(), sending.parts.count], [[1], 0]);
});
