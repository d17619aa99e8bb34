import assert from "node:assert/strict";
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { STREAM, sampleHeader } from "../testing/sample-header.ts";
import { tempDir } from "../testing/temp-dir.ts";
import { GivenUpNote } from "./given-up-note.ts";

const LEDGER = [{ tsSec: 10, app: "shop", created: 5, received: 5, dropped: {} }];
const batch = (number: number, stream = STREAM) => sampleHeader(number, { stream, ledger: LEDGER });
const numbersIn = (note: GivenUpNote): number[] => note.batches.map(({ number }) => number);

test("what was noted is there after a crash, but for a line that was cut off", (t) => {
  const path = join(tempDir(t), "given-up.jsonl");
  const note = new GivenUpNote(path);
  note.add(batch(1));
  note.add(batch(2));
  appendFileSync(path, '{"stream":"6f96');
  new GivenUpNote(path).add(batch(3));
  const again = new GivenUpNote(path);
  assert.deepEqual(
    again.batches,
    [1, 2, 3].map((number) => ({ stream: STREAM, number, ledger: LEDGER })),
  );
  assert.equal(readFileSync(path, "utf8").includes("host"), false, "only what is needed");
});

test("forgets what the ledger has, and other streams; the file goes with the last", (t) => {
  const path = join(tempDir(t), "given-up.jsonl");
  const note = new GivenUpNote(path);
  for (const number of [1, 5, 6, 9]) note.add(batch(number));
  note.add(batch(7, "00000000-0000-4000-8000-000000000000"));
  note.forget(STREAM, [{ first: 4, last: 5 }]);
  assert.deepEqual(numbersIn(note), [1, 6, 9]);
  assert.deepEqual(numbersIn(new GivenUpNote(path)), [1, 6, 9]);
  note.forget(STREAM, [{ first: 1, last: 9 }]);
  assert.deepEqual([numbersIn(note), existsSync(path)], [[], false]);
});

test("a disk that takes no note, or a file that is none, keeps nobody from giving up", (t) => {
  const path = join(tempDir(t), "given-up.jsonl");
  mkdirSync(path);
  const note = new GivenUpNote(path);
  note.add(batch(1));
  note.forget(STREAM, []);
  assert.deepEqual(numbersIn(note), [1]);
  note.forget(STREAM, [{ first: 1, last: 1 }]);
  assert.deepEqual(numbersIn(note), []);
});
