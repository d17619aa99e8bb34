import assert from "node:assert/strict";
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { tempDir } from "../testing/temp-dir.ts";
import { Journal, type JournalOptions } from "./journal.ts";

const SPANS = 4;

interface Found {
  app: string;
  text: string;
  position: number;
}

function open(t: TestContext, dir: string, options: Partial<JournalOptions> = {}): Journal {
  const journal = new Journal({ dir, segmentBytes: 200, capBytes: 100_000, fsync: "seal", ...options });
  t.after(() => journal.close());
  return journal;
}

/** Appends and flushes one frame; answers its position. */
function write(journal: Journal, text: string, instance = journal.createInstance('"shop"')): number {
  const position = journal.append(instance, 1_000, SPANS, Buffer.from(text));
  journal.flush();
  return position;
}

function replay(journal: Journal): Found[] {
  const found: Found[] = [];
  const apps = new Map<number, string>();
  journal.replay((record, position) => {
    if (record.type === "instance") apps.set(record.reference, JSON.parse(record.json) as string);
    else
      found.push({ app: apps.get(record.reference) ?? "?", text: record.payload.toString("utf8"), position });
  });
  return found;
}

function segmentFiles(dir: string): string[] {
  return readdirSync(dir)
    .filter((name) => name.endsWith(".seg"))
    .sort();
}

test("frames come back in the order they were written, across segments, under their instance", (t) => {
  const dir = tempDir(t);
  const writer = open(t, dir);
  const shop = writer.createInstance('"shop"');
  const stock = writer.createInstance('"stock"');
  const written: Found[] = [];
  for (let i = 0; i < 40; i++) {
    const [app, instance] = i % 3 === 0 ? ["stock", stock] : ["shop", shop];
    written.push({ app, text: `frame ${i}`, position: write(writer, `frame ${i}`, instance) });
  }
  assert.ok(writer.segments > 3, `${writer.segments} segments`);
  writer.close();
  const reader = open(t, dir);
  assert.deepEqual(replay(reader), written);
  assert.equal(reader.unreadableBytes, 0);
  assert.equal(reader.position, writer.position);
});

test("a flush of more buffers than the system takes at once writes them all", (t) => {
  const dir = tempDir(t);
  const writer = open(t, dir, { segmentBytes: 1_000_000 });
  const instance = writer.createInstance('"shop"');
  for (let i = 0; i < 3_000; i++) writer.append(instance, 1, SPANS, Buffer.from(`${i}`));
  writer.flush();
  writer.close();
  assert.deepEqual(
    replay(open(t, dir)).map(({ text }) => text),
    Array.from({ length: 3_000 }, (_, i) => `${i}`),
  );
});

test("what is flushed together lies in one segment", (t) => {
  const dir = tempDir(t);
  const journal = open(t, dir);
  const instance = journal.createInstance('"shop"');
  for (let i = 0; i < 20; i++) journal.append(instance, 1, SPANS, Buffer.alloc(100));
  journal.flush();
  assert.equal(segmentFiles(dir).length, 1);
  write(journal, "next", instance);
  assert.equal(segmentFiles(dir).length, 2);
});

test("readFrame finds every frame of this run and the ones before, and nothing else", (t) => {
  const dir = tempDir(t);
  const first = open(t, dir);
  const old = Array.from({ length: 10 }, (_, i) => [write(first, `old ${i}`), `old ${i}`] as const);
  first.close();
  const second = open(t, dir);
  const fresh = Array.from({ length: 10 }, (_, i) => [write(second, `new ${i}`), `new ${i}`] as const);
  const at = new Map([...old, ...fresh]);
  for (const [position, text] of at) assert.equal(second.readFrame(position).toString(), text);
  for (let position = 0; position < second.position + 50; position++) {
    if (!at.has(position))
      assert.throws(() => second.readFrame(position), { code: "RECORD_CORRUPT" }, `position ${position}`);
  }
  second.endReading();
});

test("positions only grow over any number of restarts, whatever was torn in between", (t) => {
  const dir = tempDir(t);
  let last = -1;
  for (let run = 0; run < 8; run++) {
    const journal = open(t, dir);
    for (let i = 0; i <= run; i++) {
      const position = write(journal, `run ${run}, frame ${i}`);
      assert.ok(position > last, `${position} after ${last}`);
      last = position;
    }
    journal.close();
    const newest = join(dir, segmentFiles(dir).at(-1) as string);
    if (run % 2 === 0) truncateSync(newest, statSync(newest).size - 3);
    last = Math.min(last, open(t, dir).position - 1);
  }
});

test("the last frame torn at any byte costs only itself, and the next run writes on", (t) => {
  const original = tempDir(t);
  const writer = open(t, original, { segmentBytes: 10_000 });
  const instance = writer.createInstance('"shop"');
  write(writer, "first", instance);
  const lastPosition = write(writer, "torn", instance);
  writer.close();
  const name = segmentFiles(original)[0] as string;
  const bytes = readFileSync(join(original, name));
  for (let length = lastPosition; length < bytes.length; length++) {
    const dir = tempDir(t);
    writeFileSync(join(dir, name), bytes.subarray(0, length));
    const next = open(t, dir, { segmentBytes: 10_000 });
    const before = replay(next).map(({ text }) => text);
    assert.ok(before.includes("first") && !before.includes("torn"), `cut to ${length} bytes`);
    write(next, "after");
    next.close();
    assert.deepEqual(
      replay(open(t, dir)).map(({ text }) => text),
      ["first", "after"],
    );
  }
});

test("an empty segment that a crash left behind is in nobody's way", (t) => {
  const dir = tempDir(t);
  const first = open(t, dir);
  const position = write(first, "a");
  first.close();
  writeFileSync(join(dir, `${String(first.position).padStart(16, "0")}.seg`), "");
  const second = open(t, dir);
  assert.equal(second.position, first.position);
  assert.ok(write(second, "b") > position);
  second.close();
  assert.deepEqual(
    replay(open(t, dir)).map(({ text }) => text),
    ["a", "b"],
  );
});

test("files that are no segments are neither read nor touched", (t) => {
  const dir = tempDir(t);
  const foreign = ["cursor.json", "1.seg", "0000000000000000.seg.bak", "notes.txt", "x000000000000000.seg"];
  for (const name of foreign) writeFileSync(join(dir, name), "mine");
  mkdirSync(join(dir, "folder"));
  const journal = open(t, dir, { capBytes: 300 });
  for (let i = 0; i < 20; i++) write(journal, "x".repeat(100));
  journal.trim(journal.position);
  for (const name of foreign) assert.equal(readFileSync(join(dir, name), "utf8"), "mine");
  assert.ok(existsSync(join(dir, "folder")));
});

test("trim deletes whole segments, oldest first, down to the cap, but never the newest", (t) => {
  const dir = tempDir(t);
  const journal = open(t, dir, { capBytes: 1_000 });
  const written: string[] = [];
  for (let i = 0; i < 50; i++) {
    written.push(`${i}`.padEnd(120, "."));
    write(journal, written.at(-1) as string);
    journal.trim(journal.position);
    const onDisk = segmentFiles(dir).reduce((sum, name) => sum + statSync(join(dir, name)).size, 0);
    assert.equal(journal.bytes, onDisk);
    assert.ok(onDisk <= 1_000, `${onDisk} bytes`);
  }
  assert.equal(journal.unsealedSegmentsDropped, 0);
  journal.close();
  const left = replay(open(t, dir)).map(({ text }) => text);
  assert.ok(left.length > 2);
  assert.deepEqual(left, written.slice(-left.length));

  const small = open(t, tempDir(t), { capBytes: 10 });
  write(small, "alone");
  small.trim(small.position);
  assert.equal(small.segments, 1);
});

test("the cap holds also while nothing is sealed; what a replay would have needed is counted", (t) => {
  const dir = tempDir(t);
  const journal = open(t, dir, { capBytes: 1_000 });
  for (let i = 0; i < 50; i++) {
    write(journal, "x".repeat(120));
    assert.ok(journal.bytes <= 1_000 + 400, `${journal.bytes} bytes`);
  }
  assert.ok(journal.unsealedSegmentsDropped > 10);
});

test("a segment deleted by hand costs its frames only", (t) => {
  const dir = tempDir(t);
  const journal = open(t, dir);
  const positions = Array.from({ length: 9 }, (_, i) => write(journal, `${i}`.repeat(150)));
  rmSync(join(dir, segmentFiles(dir)[1] as string));
  assert.throws(() => journal.readFrame(positions[1] as number));
  assert.equal(journal.readFrame(positions[2] as number).toString(), "2".repeat(150));
  journal.endReading();
  journal.trim(0);
});

test("when all segments are deleted by hand positions still go on", (t) => {
  const dir = tempDir(t);
  const first = open(t, dir);
  for (let i = 0; i < 9; i++) write(first, "x".repeat(150));
  first.close();
  for (const name of segmentFiles(dir)) rmSync(join(dir, name));
  const second = open(t, dir);
  second.startFrom(first.position);
  assert.equal(second.position, first.position);
  const position = write(second, "next");
  assert.ok(position > first.position);
  assert.equal(second.readFrame(position).toString(), "next");
});

test("a segment that the disk does not give back costs its frames only", (t) => {
  const dir = tempDir(t);
  const first = open(t, dir);
  for (let i = 0; i < 4; i++) write(first, `${i}`.repeat(200));
  first.close();
  const unreadable = join(dir, segmentFiles(dir)[1] as string);
  rmSync(unreadable);
  mkdirSync(unreadable);
  const second = open(t, dir);
  assert.deepEqual(
    replay(second).map(({ text }) => text[0]),
    ["0", "2", "3"],
  );
  assert.ok(second.unreadableBytes > 0);
});

/** /dev/full takes no byte: ENOSPC at each write. */
const withDevFull = { skip: !existsSync("/dev/full") };

test(
  "a full disk: the frame is refused whole, and the next one is written to a new segment",
  withDevFull,
  (t) => {
    const dir = tempDir(t);
    const journal = open(t, dir);
    const instance = journal.createInstance('"shop"');
    write(journal, "x".repeat(200), instance);
    const nextName = `${String(journal.position).padStart(16, "0")}.seg`;
    const before = journal.position;
    symlinkSync("/dev/full", join(dir, nextName));
    assert.throws(() => write(journal, "refused", instance), { code: "ENOSPC" });
    assert.equal(journal.position, before);
    journal.flush();
    const position = write(journal, "taken", instance);
    assert.equal(journal.readFrame(position).toString(), "taken");
    journal.close();
    assert.deepEqual(
      replay(open(t, dir)).map(({ text }) => text),
      ["x".repeat(200), "taken"],
    );
  },
);

test("a segment that cannot be created refuses the frame, and is tried again", (t) => {
  const dir = tempDir(t);
  const journal = open(t, dir);
  write(journal, "x".repeat(200));
  const obstacle = join(dir, `${String(journal.position).padStart(16, "0")}.seg`);
  mkdirSync(obstacle);
  for (let i = 0; i < 3; i++) assert.throws(() => write(journal, "refused"), { code: "EISDIR" });
  rmSync(obstacle, { recursive: true });
  write(journal, "taken");
  journal.close();
  assert.deepEqual(
    replay(open(t, dir)).map(({ text }) => text),
    ["x".repeat(200), "taken"],
  );
});

test("bytes that a failed write left beyond the next segment's start are not read", (t) => {
  const dir = tempDir(t);
  const journal = open(t, dir);
  write(journal, "x".repeat(200));
  const first = join(dir, segmentFiles(dir)[0] as string);
  write(journal, "next");
  journal.close();
  appendFileSync(first, readFileSync(first).subarray(16));
  assert.deepEqual(
    replay(open(t, dir)).map(({ text }) => text),
    ["x".repeat(200), "next"],
  );
});

test("sync covers rolled segments and lets go of their files", async (t) => {
  const dir = tempDir(t);
  const journal = open(t, dir);
  const lowestFreeFd = (): number => {
    const fd = openSync(dir, "r");
    closeSync(fd);
    return fd;
  };
  write(journal, "x".repeat(200));
  await journal.sync();
  const before = lowestFreeFd();
  for (let i = 0; i < 10; i++) write(journal, "x".repeat(200));
  assert.ok(lowestFreeFd() > before);
  await journal.sync();
  // One is the segment being written.
  assert.ok(lowestFreeFd() <= before + 1);
});

test("fsync = always writes the same journal", (t) => {
  const dir = tempDir(t);
  const journal = open(t, dir, { fsync: "always" });
  const texts = Array.from({ length: 12 }, (_, i) => `${i}`.repeat(40));
  for (const text of texts) write(journal, text);
  journal.close();
  assert.deepEqual(
    replay(open(t, dir)).map(({ text }) => text),
    texts,
  );
});

test("nobody else may look into the folder that it makes", (t) => {
  const dir = join(tempDir(t), "journal");
  open(t, dir);
  assert.equal(statSync(dir).mode & 0o777, 0o700);
});

test("a segment of a later release is not read, not deleted, and positions go on behind it", (t) => {
  const dir = tempDir(t);
  const first = open(t, dir);
  write(first, "before");
  first.close();
  const later = Buffer.alloc(5_000, 1);
  later.write("APMJ");
  later[4] = 3;
  const name = `${String(first.position).padStart(16, "0")}.seg`;
  writeFileSync(join(dir, name), later);
  const second = open(t, dir, { capBytes: 500 });
  assert.deepEqual(second.newerFiles, [name]);
  assert.deepEqual(
    replay(second).map(({ text }) => text),
    ["before"],
  );
  assert.equal(second.unreadableBytes, 0);
  assert.equal(second.position, first.position + later.length);
  for (let i = 0; i < 20; i++) write(second, "x".repeat(100));
  second.trim(second.position);
  while (second.giveOldest() > 0);
  assert.ok(readFileSync(join(dir, name)).equals(later));
  assert.ok(second.bytes < 1_000);
});

test("what cannot be read at start is copied to quarantine, once, however often it is met", (t) => {
  const dir = tempDir(t);
  const first = open(t, dir, { segmentBytes: 10_000 });
  const instance = first.createInstance('"shop"');
  const [, damaged] = ["a", "b", "c"].map((text) => write(first, text.repeat(20), instance));
  first.close();
  const file = join(dir, segmentFiles(dir)[0] as string);
  const bytes = readFileSync(file);
  const at = damaged as number;
  bytes[at + 8] = 200;
  writeFileSync(file, bytes);
  for (let run = 0; run < 2; run++) {
    const next = open(t, dir);
    assert.deepEqual(
      replay(next).map(({ text }) => text[0]),
      ["a", "c"],
    );
    assert.equal(next.unreadableBytes, 46);
    const kept = readdirSync(join(dir, "quarantine"));
    assert.equal(kept.length, 1);
    assert.ok(readFileSync(join(dir, "quarantine", kept[0] as string)).equals(bytes.subarray(at, at + 46)));
    next.close();
  }
});

test("references of an earlier run never name the frames of another", (t) => {
  const dir = tempDir(t);
  const first = open(t, dir);
  write(first, "first", first.createInstance('"shop"'));
  first.close();
  const second = open(t, dir);
  const position = write(second, "second", second.createInstance('"stock"'));
  second.close();
  const file = join(dir, segmentFiles(dir)[1] as string);
  const bytes = readFileSync(file);
  const offset = position - Number(segmentFiles(dir)[1]?.slice(0, 16));
  // Both announcements of the second run's instance.
  bytes[offset - 1] = 0;
  bytes[bytes.length - 1] = 0;
  writeFileSync(file, bytes);
  assert.deepEqual(
    replay(open(t, dir)).map(({ app, text }) => [app, text]),
    [
      ["shop", "first"],
      ["?", "second"],
    ],
  );
});
