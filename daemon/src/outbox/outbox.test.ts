import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { STREAM, sampleBatch } from "../testing/sample-header.ts";
import { tempDir } from "../testing/temp-dir.ts";
import { Outbox } from "./outbox.ts";

const fileOf = (dir: string, number: number): string =>
  join(dir, `${String(number).padStart(12, "0")}.batch`);

async function put(outbox: Outbox, number: number, bytes: Buffer = sampleBatch(number)): Promise<void> {
  await outbox.write(number, bytes);
  outbox.offer(number, bytes.length, number * 1_000);
}

test("batches come back whole, in the order of their numbers, also after a restart", async (t) => {
  const dir = tempDir(t);
  const outbox = new Outbox({ dir, capBytes: 1e9 });
  for (const number of [1, 2, 10]) await put(outbox, number);
  assert.deepEqual(outbox.numbers(), [1, 2, 10]);
  assert.equal(outbox.oldestUnixMs, 1_000);
  const again = new Outbox({ dir, capBytes: 1e9 });
  assert.deepEqual(again.numbers(), [1, 2, 10]);
  assert.equal(again.bytes, outbox.bytes);
  assert.deepEqual(Buffer.from(again.read(10) as Uint8Array), sampleBatch(10));
  assert.deepEqual(Buffer.from(again.newest() as Uint8Array), sampleBatch(10));
});

test("a written batch is not sent before it is offered", async (t) => {
  const outbox = new Outbox({ dir: tempDir(t), capBytes: 1e9 });
  await outbox.write(1, sampleBatch(1));
  assert.deepEqual([outbox.count, outbox.bytes, outbox.read(1)], [0, 0, null]);
});

test("beyond the cap the oldest go, counted, but never the newest", async (t) => {
  const dir = tempDir(t);
  const bytes = sampleBatch(1).length;
  const outbox = new Outbox({ dir, capBytes: bytes * 3 + 20 });
  for (let number = 1; number <= 5; number++) await put(outbox, number);
  assert.deepEqual(outbox.numbers(), [3, 4, 5]);
  assert.equal(outbox.droppedBatches, 2);
  assert.equal(readdirSync(dir).filter((name) => name.endsWith(".batch")).length, 3);
  const tiny = new Outbox({ dir: tempDir(t), capBytes: 1 });
  await put(tiny, 1);
  assert.deepEqual(tiny.numbers(), [1]);
});

test("what was sent and not answered goes last", async (t) => {
  const outbox = new Outbox({ dir: tempDir(t), capBytes: sampleBatch(1).length * 3 + 20 });
  let onTheirWay = [1, 3];
  outbox.isOnItsWay = (number) => onTheirWay.includes(number);
  for (const number of [1, 2, 3, 4]) await put(outbox, number);
  assert.deepEqual(outbox.numbers(), [1, 3, 4]);
  assert.ok(outbox.giveOldest() > 0);
  assert.deepEqual(outbox.numbers(), [3, 4], "the newest stays, so one that is on its way goes");
  onTheirWay = [];
  outbox.giveOldest();
  assert.deepEqual(outbox.numbers(), [4]);
});

test("what went is noted until a cursor has it; a file of it that a crash left is not sent", async (t) => {
  const dir = tempDir(t);
  const capBytes = sampleBatch(1).length * 2 + 20;
  const outbox = new Outbox({ dir, capBytes });
  for (const number of [1, 2, 3, 4]) await put(outbox, number);
  writeFileSync(fileOf(dir, 2), sampleBatch(2));
  // Another stream's batch of a number that was given up.
  writeFileSync(fileOf(dir, 1), sampleBatch(1, { stream: "00000000-0000-4000-8000-000000000000" }));
  const again = new Outbox({ dir, capBytes: 1e9 });
  assert.deepEqual(again.numbers(), [1, 3, 4]);
  assert.deepEqual(
    again.givenUp.map(({ number }) => number),
    [1, 2],
  );
  const givenUp = [{ first: 1, last: 2 }];
  again.confirmGivenUp(STREAM, givenUp);
  assert.deepEqual(new Outbox({ dir, capBytes }).givenUp, []);
  // A power failure may bring it back when no note is left.
  writeFileSync(fileOf(dir, 2), sampleBatch(2));
  const later = new Outbox({ dir, capBytes: 1e9 });
  later.deleteGivenUp({ stream: STREAM, ledger: { apps: [], instances: [], givenUp } });
  assert.deepEqual(later.numbers(), [1, 3, 4]);
});

test("a batch offered again, after a failed seal, counts once", async (t) => {
  const outbox = new Outbox({ dir: tempDir(t), capBytes: 1e9 });
  await put(outbox, 1);
  await put(outbox, 1);
  assert.deepEqual([outbox.count, outbox.bytes], [1, sampleBatch(1).length]);
});

test("damaged batches are put aside, whatever the damage, and the others go on", async (t) => {
  const dir = tempDir(t);
  const outbox = new Outbox({ dir, capBytes: 1e9 });
  for (let number = 1; number <= 4; number++) await put(outbox, number);
  truncateSync(fileOf(dir, 2), 30);
  const flipped = readFileSync(fileOf(dir, 3));
  flipped[60] = (flipped[60] as number) ^ 4;
  writeFileSync(fileOf(dir, 3), flipped);
  writeFileSync(fileOf(dir, 4), "");
  const again = new Outbox({ dir, capBytes: 1e9 });
  assert.deepEqual(Buffer.from(again.newest() as Uint8Array), sampleBatch(1));
  assert.deepEqual(
    [2, 3, 4].map((number) => again.read(number)),
    [null, null, null],
  );
  assert.deepEqual(again.numbers(), [1]);
  assert.equal(again.bytes, sampleBatch(1).length);
  assert.equal(again.quarantinedBatches, 3);
  const names = readdirSync(join(dir, "quarantine")).map((name) => name.slice(0, 18));
  assert.deepEqual(names.sort(), ["000000000002.batch", "000000000003.batch", "000000000004.batch"]);
});

test("batches deleted by hand are in nobody's way", async (t) => {
  const dir = tempDir(t);
  const outbox = new Outbox({ dir, capBytes: 1e9 });
  for (const number of [1, 2]) await put(outbox, number);
  for (const number of [1, 2]) rmSync(fileOf(dir, number));
  outbox.delete(1);
  assert.equal(outbox.read(2), null);
  assert.deepEqual([outbox.count, outbox.bytes], [0, 0]);
});

test("a batch that cannot be read for the moment is not given up", async (t) => {
  const dir = tempDir(t);
  const outbox = new Outbox({ dir, capBytes: 1e9 });
  await put(outbox, 1);
  rmSync(fileOf(dir, 1));
  mkdirSync(fileOf(dir, 1));
  assert.throws(() => outbox.read(1), { code: "EISDIR" });
  assert.deepEqual([outbox.count, outbox.quarantinedBatches], [1, 0]);
});

test("foreign files, and what a crash left half written, are not taken for batches", async (t) => {
  const dir = tempDir(t);
  for (const name of ["000000000001.batch.tmp", "1.batch", "notes.txt", "x00000000001.batch"])
    writeFileSync(join(dir, name), "mine");
  mkdirSync(join(dir, "quarantine"));
  const outbox = new Outbox({ dir, capBytes: 1e9 });
  assert.equal(outbox.count, 0);
  await put(outbox, 1);
  assert.equal(existsSync(join(dir, "000000000001.batch.tmp")), false);
  assert.deepEqual(outbox.numbers(), [1]);
});

test("a batch of a later release is kept whatever happens, named, and out of the way of a new one of its number", async (t) => {
  const dir = tempDir(t);
  const later = sampleBatch(2);
  later[4] = 2;
  for (const bytes of [later, later]) {
    writeFileSync(fileOf(dir, 2), bytes);
    const outbox = new Outbox({ dir, capBytes: 1 });
    assert.equal(outbox.newest(), null);
    await put(outbox, 2);
    await put(outbox, 3);
    assert.deepEqual(outbox.numbers(), [3]);
    outbox.delete(3);
  }
  writeFileSync(fileOf(dir, 4), later);
  const lost: number[] = [];
  const outbox = new Outbox({ dir, capBytes: 1, onLost: ({ number }) => lost.push(number) });
  await put(outbox, 5);
  await put(outbox, 6);
  assert.deepEqual([outbox.numbers(), lost], [[6], [5]]);
  const kept = ["000000000002.batch.newer", "000000000002.batch.newer.2", "000000000004.batch"];
  assert.deepEqual(outbox.newerFiles.toSorted(), kept);
  for (const name of kept) assert.deepEqual(readFileSync(join(dir, name)), later);
  assert.equal(outbox.quarantinedBatches, 0);
});

test("what is put aside stays within 16 MiB, the oldest goes first", (t) => {
  const dir = tempDir(t);
  for (let number = 1; number <= 5; number++)
    writeFileSync(fileOf(dir, number), Buffer.alloc(5_000_000, number));
  const lost: (string | null)[] = [];
  const outbox = new Outbox({
    dir,
    capBytes: 1e9,
    onLost: ({ reason, header }) => lost.push(reason, header?.stream ?? null),
  });
  for (let number = 1; number <= 5; number++) assert.equal(outbox.read(number), null);
  const kept = readdirSync(join(dir, "quarantine")).map((name) => Number(name.slice(0, 12)));
  assert.deepEqual(
    kept.toSorted((a, b) => a - b),
    [3, 4, 5],
  );
  assert.equal(outbox.quarantineGivenUpBytes, 10_000_000);
  assert.deepEqual(lost.slice(0, 2), ["outbox_corrupt", null]);
});
