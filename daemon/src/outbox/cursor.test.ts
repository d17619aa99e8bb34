import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { STREAM, sampleBatch } from "../testing/sample-header.ts";
import { tempDir } from "../testing/temp-dir.ts";
import { type Cursor, recoverCursor, writeCursor } from "./cursor.ts";

const NO_LEDGER = { apps: [], instances: [] };
const NOTED: Cursor = {
  stream: STREAM,
  nextNumber: 7,
  journal: { sealed: 600, replayFrom: 550 },
  ledger: NO_LEDGER,
};
const AFTER_7: Cursor = { ...NOTED, nextNumber: 8, journal: { sealed: 700, replayFrom: 650 } };

test("the first start begins a stream, and notes it at once", async (t) => {
  const path = join(tempDir(t), "cursor.json");
  const first = await recoverCursor(path, null, 0);
  assert.equal(first.source, "new");
  assert.deepEqual(
    { ...first.cursor, stream: "" },
    { stream: "", nextNumber: 1, journal: { sealed: 0, replayFrom: 0 }, ledger: NO_LEDGER },
  );
  // A crash before the first seal: what the journal has by then is not sealed.
  assert.deepEqual(await recoverCursor(path, null, 5_000), { cursor: first.cursor, source: "file" });
});

test("a crash before the batch was written: the cursor tells", async (t) => {
  const path = join(tempDir(t), "cursor.json");
  await writeCursor(path, NOTED);
  assert.deepEqual(await recoverCursor(path, sampleBatch(6), 9_000), { cursor: NOTED, source: "file" });
  assert.deepEqual(await recoverCursor(path, null, 9_000), { cursor: NOTED, source: "file" });
});

test("a crash between batch and cursor: the batch tells, and stays told when it is sent and deleted", async (t) => {
  const path = join(tempDir(t), "cursor.json");
  await writeCursor(path, NOTED);
  assert.deepEqual(await recoverCursor(path, sampleBatch(7), 9_000), { cursor: AFTER_7, source: "outbox" });
  assert.deepEqual(await recoverCursor(path, null, 9_000), { cursor: AFTER_7, source: "file" });
});

test("a lost or damaged cursor: the newest batch tells", async (t) => {
  const damages = ["", "{", "null", '{"stream":5}', JSON.stringify({ ...NOTED, journal: { sealed: 600 } })];
  for (const damaged of damages) {
    const path = join(tempDir(t), "cursor.json");
    writeFileSync(path, damaged);
    assert.deepEqual(await recoverCursor(path, sampleBatch(7), 9_000), { cursor: AFTER_7, source: "outbox" });
  }
});

test("nothing tells: a new stream begins behind the journal, since its frames may have been counted", async (t) => {
  const path = join(tempDir(t), "cursor.json");
  const { cursor, source } = await recoverCursor(path, null, 9_000);
  assert.equal(source, "lost");
  assert.deepEqual(cursor.journal, { sealed: 9_000, replayFrom: 9_000 });
  assert.equal(cursor.nextNumber, 1);
});

test("a batch of another stream does not move the cursor", async (t) => {
  const path = join(tempDir(t), "cursor.json");
  await writeCursor(path, NOTED);
  const foreign = sampleBatch(99, { stream: "00000000-0000-4000-8000-000000000000" });
  assert.deepEqual(await recoverCursor(path, foreign, 9_000), { cursor: NOTED, source: "file" });
});

test("a half-written new cursor leaves the old one", async (t) => {
  const path = join(tempDir(t), "cursor.json");
  await writeCursor(path, NOTED);
  writeFileSync(`${path}.tmp`, '{"stream":"');
  assert.deepEqual((await recoverCursor(path, null, 9_000)).cursor, NOTED);
  await writeCursor(path, AFTER_7);
  assert.deepEqual(JSON.parse(readFileSync(path, "utf8")), AFTER_7);
});

test("a cursor that cannot be noted keeps the daemon from starting", async (t) => {
  const path = join(tempDir(t), "cursor.json");
  mkdirSync(path);
  await assert.rejects(recoverCursor(path, null, 0), { code: "EISDIR" });
});
