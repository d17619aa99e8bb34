import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { ActionRow } from "@apm-daemon/protocol";
import { STREAM, sampleBatch, sampleHeader } from "../testing/sample-header.ts";
import { tempDir } from "../testing/temp-dir.ts";
import { type DeadLetter, DeadLetters } from "./dead-letters.ts";

const clock = { unixMs: (): number => 1_790_000_000_000 };

function letter(number: number, changes: Partial<DeadLetter> = {}): DeadLetter {
  const header = sampleHeader(number, { actions: [{ action: "a" } as ActionRow] });
  const bytes = sampleBatch(number);
  return {
    identity: { stream: STREAM, number },
    header,
    bytes,
    code: "BATCH_MALFORMED",
    message: "why",
    ...changes,
  };
}

test("a letter is the batch as it was, and its reason beside it", async (t) => {
  const dir = tempDir(t);
  const letters = new DeadLetters({ dir, capBytes: 1e6, clock });
  await letters.put(letter(3));
  assert.deepEqual(readdirSync(dir).sort(), [`${STREAM}.3.batch`, `${STREAM}.3.json`]);
  assert.deepEqual(readFileSync(join(dir, `${STREAM}.3.batch`)), sampleBatch(3));
  assert.deepEqual(JSON.parse(readFileSync(join(dir, `${STREAM}.3.json`), "utf8")), {
    code: "BATCH_MALFORMED",
    message: "why",
    stream: STREAM,
    number: 3,
    partOf: null,
    rows: { actions: 1 },
    refusedUnixMs: clock.unixMs(),
  });
  assert.deepEqual([letters.count, letters.lastReason], [1, "why"]);
});

test("a letter that comes again, after a crash, is one letter", async (t) => {
  const letters = new DeadLetters({ dir: tempDir(t), capBytes: 1e6, clock });
  await letters.put(letter(3));
  await letters.put(letter(3, { header: null }));
  assert.equal(letters.count, 1);
});

test("beyond the cap the oldest letters go, counted, in this run and in the next", async (t) => {
  const dir = tempDir(t);
  const bytes = Buffer.alloc(1_000);
  const letters = new DeadLetters({ dir, capBytes: 4_000, clock });
  for (let number = 1; number <= 3; number++) {
    await letters.put(letter(number, { bytes }));
    for (const kind of ["batch", "json"])
      utimesSync(join(dir, `${STREAM}.${number}.${kind}`), number, number);
  }
  assert.deepEqual([letters.count, letters.dropped], [3, 0]);
  const again = new DeadLetters({ dir, capBytes: 4_000, clock });
  await again.put(letter(4, { bytes }));
  assert.deepEqual([again.count, again.dropped], [3, 1]);
  assert.equal(readdirSync(dir).includes(`${STREAM}.1.json`), false);
});

test("letters that an admin deleted are gone, the folder too", async (t) => {
  const dir = join(tempDir(t), "dead-letter");
  const letters = new DeadLetters({ dir, capBytes: 1e6, clock });
  await letters.put(letter(1));
  rmSync(dir, { recursive: true });
  assert.equal(letters.count, 0);
});
