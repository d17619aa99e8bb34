import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type ActionRow, type Batch, decodeBatch } from "@apm-daemon/protocol";
import { sampleBatch, sampleHeader } from "../testing/sample-header.ts";
import { tempDir } from "../testing/temp-dir.ts";
import { recoverCursor } from "./cursor.ts";
import { Outbox } from "./outbox.ts";
import { PartsFolder } from "./parts-folder.ts";
import { splitBatch } from "./split-batch.ts";

const rows = Array.from({ length: 8 }, (_, i) => ({ action: `a${i}` }) as ActionRow);
const whole: Batch = { header: sampleHeader(5, { actions: rows }), frames: [] };

interface Folders {
  dir: string;
  outbox: Outbox;
  parts: PartsFolder;
}

function open(dir: string): Folders {
  const outbox = new Outbox({ dir, capBytes: 1e9 });
  const parts = new PartsFolder(join(dir, "parts"));
  parts.finishSplits(outbox);
  return { dir, outbox, parts };
}

/** Batch 5 in the outbox and the files of both its halves. */
async function interrupted(t: TestContext): Promise<{ dir: string; names: string[] }> {
  const dir = tempDir(t);
  const { outbox, parts } = open(dir);
  await outbox.write(5, sampleBatch(5, { actions: rows }));
  const written = await parts.write(splitBatch(whole) ?? []);
  return { dir, names: written.map(({ name }) => name) };
}

test("parts come back after a restart, and are never taken for the stream's newest batch", async (t) => {
  const { dir, names } = await interrupted(t);
  rmSync(join(dir, "000000000005.batch"));
  const { outbox, parts } = open(dir);
  assert.deepEqual(parts.names(), names);
  assert.deepEqual([outbox.count, outbox.newest()], [0, null]);
  const { source } = await recoverCursor(join(dir, "cursor.json"), outbox.newest(), 0);
  assert.equal(source, "new");
  const bytes = names.map((name) => parts.read(name) ?? Buffer.alloc(0));
  assert.deepEqual(
    bytes.flatMap((part) => decodeBatch(part).header.actions),
    rows,
  );
  assert.equal(
    parts.bytes,
    bytes.reduce((sum, part) => sum + part.length, 0),
  );
});

test("a crash after one half: the half goes, the whole stays", async (t) => {
  const { dir, names } = await interrupted(t);
  rmSync(join(dir, "parts", names[1] as string));
  const { outbox, parts } = open(dir);
  assert.deepEqual([outbox.numbers(), parts.count, readdirSync(join(dir, "parts"))], [[5], 0, []]);
});

test("a crash after both halves: the whole goes, the halves stay", async (t) => {
  const { dir, names } = await interrupted(t);
  const { outbox, parts } = open(dir);
  assert.deepEqual([outbox.count, parts.names()], [0, names]);
  assert.equal(readdirSync(dir).includes("000000000005.batch"), false);
});

test("the same for a part that was being split: one of both is left, never both", async (t) => {
  const { dir, names } = await interrupted(t);
  rmSync(join(dir, "000000000005.batch"));
  const { parts } = open(dir);
  const second = decodeBatch(parts.read(names[1] as string) ?? Buffer.alloc(0));
  const quarters = (await parts.write(splitBatch(second) ?? [])).map(({ name }) => name);
  const copy = tempDir(t);
  mkdirSync(join(copy, "parts"));
  for (const name of [...names, quarters[1] as string])
    copyFileSync(join(dir, "parts", name), join(copy, "parts", name));
  assert.deepEqual(open(copy).parts.names(), names, "one quarter is of no use");
  assert.deepEqual(open(dir).parts.names(), [names[0], ...quarters]);
});

test("a batch of another stream under the whole's number is not taken for it", async (t) => {
  const { dir, names } = await interrupted(t);
  writeFileSync(
    join(dir, "000000000005.batch"),
    sampleBatch(5, { stream: "00000000-0000-4000-8000-000000000000" }),
  );
  rmSync(join(dir, "parts", names[1] as string));
  const { outbox, parts } = open(dir);
  assert.deepEqual([outbox.numbers(), parts.names()], [[5], [names[0]]]);
});

test("damaged parts are out of the way and counted; foreign files are not touched", async (t) => {
  const { dir, names } = await interrupted(t);
  rmSync(join(dir, "000000000005.batch"));
  writeFileSync(join(dir, "parts", names[0] as string), "damaged");
  writeFileSync(join(dir, "parts", "notes.txt"), "mine");
  const { parts } = open(dir);
  assert.equal(parts.read(names[0] as string), null);
  assert.deepEqual([parts.damaged, parts.names()], [1, [names[1]]]);
  parts.delete(names[1] as string);
  assert.equal(parts.read(names[1] as string), null);
  assert.deepEqual(readdirSync(join(dir, "parts")).sort(), [`${names[0]}.damaged`, "notes.txt"].sort());
});
