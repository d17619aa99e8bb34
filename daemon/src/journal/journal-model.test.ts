import assert from "node:assert/strict";
import {
  closeSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import * as fc from "fast-check";
import { modelFolder, modelRuns } from "../testing/model-runs.ts";
import { Journal, type JournalInstance } from "./journal.ts";
import { SEGMENT_HEADER_BYTES } from "./segment.ts";

/** Bytes of a frame's record without its payload. */
const FRAME_OVERHEAD_BYTES = 26;

type Step =
  | { do: "write"; sizes: number[]; app: number }
  | { do: "append, then crash"; sizes: number[] }
  | { do: "seal" }
  | { do: "sync" }
  | { do: "restart" }
  | { do: "tear"; bytes: number }
  | { do: "flip"; segment: number; at: number }
  | { do: "give room" };

interface Sizes {
  segmentBytes: number;
  capBytes: number;
  maxPayloadBytes: number;
}

interface ModelledFrame {
  position: number;
  end: number;
  /** Its payload is this byte, so many times. */
  fill: number;
  bytes: number;
}

/** What the journal must hold, kept in memory; damage and deletions are noted as they are done to the disk. */
class ModelledJournal {
  readonly #dir = modelFolder();
  readonly #sizes: Sizes;
  #journal: Journal;
  #apps: JournalInstance[] = [];
  #frames: ModelledFrame[] = [];
  readonly #flipped = new Set<number>();
  #sealed = 0;
  #written = 0;

  constructor(sizes: Sizes) {
    this.#sizes = sizes;
    this.#journal = this.#open();
  }

  #open(): Journal {
    const { segmentBytes, capBytes } = this.#sizes;
    const journal = new Journal({ dir: this.#dir, segmentBytes, capBytes, fsync: "seal" });
    this.#apps = [0, 1, 2].map((app) => journal.createInstance(`"app${app}"`));
    return journal;
  }

  async run(steps: readonly Step[]): Promise<void> {
    try {
      for (const step of steps) await this.#do(step);
      this.#restart();
    } finally {
      this.#journal.close();
      rmSync(this.#dir, { recursive: true });
    }
  }

  async #do(step: Step): Promise<void> {
    if (step.do === "write") this.#write(step.sizes, step.app);
    else if (step.do === "append, then crash") this.#appendAndCrash(step.sizes);
    else if (step.do === "sync") await this.#journal.sync();
    else if (step.do === "restart") this.#restart();
    else if (step.do === "tear") this.#tear(step.bytes);
    else if (step.do === "flip") this.#flip(step.segment, step.at);
    else if (step.do === "give room") this.#giveRoom();
    else {
      this.#sealed = this.#journal.position;
      this.#journal.trim(this.#sealed);
      this.#checkSize(0);
    }
  }

  #write(sizes: readonly number[], app: number): void {
    const before = this.#journal.position;
    const added = sizes.map((bytes) => {
      const fill = this.#written++ % 256;
      const payload = Buffer.alloc(bytes, fill);
      const position = this.#journal.append(this.#apps[app] as JournalInstance, 1, 4, payload);
      return { position, end: position + FRAME_OVERHEAD_BYTES + bytes, fill, bytes };
    });
    this.#journal.flush();
    for (const { position, end } of added) assert.ok(position >= before && end <= this.#journal.position);
    this.#frames.push(...added);
    this.#checkSize(this.#sizes.segmentBytes + sizes.length * (this.#sizes.maxPayloadBytes + 200));
  }

  #appendAndCrash(sizes: readonly number[]): void {
    for (const bytes of sizes)
      this.#journal.append(this.#apps[0] as JournalInstance, 1, 4, Buffer.alloc(bytes, 255));
    this.#restart();
  }

  #tear(bytes: number): void {
    this.#journal.close();
    const newest = this.#segments().at(-1);
    if (newest !== undefined) {
      const left = Math.max(0, newest.bytes - bytes);
      truncateSync(newest.path, left);
      const end = newest.position + left;
      this.#frames = this.#frames.filter((frame) => frame.end <= end);
      for (const at of this.#flipped) if (at >= end) this.#flipped.delete(at);
    }
    this.#reopen();
  }

  /** Flips a byte behind a segment's head, each at most once, and takes what it hit out of the model. */
  #flip(segment: number, at: number): void {
    const segments = this.#segments().filter(({ bytes }) => bytes > SEGMENT_HEADER_BYTES);
    const hit = segments[segment % Math.max(1, segments.length)];
    if (hit === undefined) return;
    const offset = SEGMENT_HEADER_BYTES + (at % (hit.bytes - SEGMENT_HEADER_BYTES));
    const position = hit.position + offset;
    if (this.#flipped.has(position)) return;
    this.#flipped.add(position);
    const fd = openSync(hit.path, "r+");
    const byte = Buffer.alloc(1);
    readSync(fd, byte, 0, 1, offset);
    byte[0] = (byte[0] as number) ^ 0xff;
    writeSync(fd, byte, 0, 1, offset);
    closeSync(fd);
    this.#frames = this.#frames.filter((frame) => position < frame.position || position >= frame.end);
  }

  #giveRoom(): void {
    const [oldest] = this.#segments();
    const freed = this.#journal.giveOldest();
    if (freed > 0) {
      assert.equal(freed, oldest?.bytes);
      assert.ok((oldest?.position ?? 0) + freed <= this.#sealed, "what is not sealed is not given for room");
    }
  }

  #restart(): void {
    this.#journal.close();
    this.#reopen();
  }

  #reopen(): void {
    this.#journal = this.#open();
    const found: { position: number; fill: number; bytes: number; isPure: boolean }[] = [];
    const names = new Map<number, string>();
    this.#journal.replay((record, position) => {
      if (record.type === "instance") names.set(record.reference, record.json);
      else {
        const { payload } = record;
        const fill = payload[0] as number;
        found.push({ position, fill, bytes: payload.length, isPure: payload.every((byte) => byte === fill) });
      }
    });
    assert.deepEqual(
      found,
      this.#expected().map(({ position, fill, bytes }) => ({ position, fill, bytes, isPure: true })),
    );
    for (const { position, fill } of this.#expected())
      assert.equal(this.#journal.readFrame(position)[0], fill);
    this.#journal.endReading();
    assert.equal(
      this.#journal.bytes,
      this.#segments().reduce((sum, { bytes }) => sum + bytes, 0),
    );
    this.#journal.trim(this.#sealed);
  }

  /** Frames in segments that are still there. */
  #expected(): ModelledFrame[] {
    const oldest = this.#segments()[0]?.position ?? Number.POSITIVE_INFINITY;
    this.#frames = this.#frames.filter(({ position }) => position >= oldest);
    return this.#frames;
  }

  #checkSize(slackBytes: number): void {
    const segments = this.#segments();
    const total = segments.reduce((sum, { bytes }) => sum + bytes, 0);
    assert.ok(segments.length === 1 || total <= this.#sizes.capBytes + slackBytes, `${total} bytes`);
  }

  #segments(): { path: string; position: number; bytes: number }[] {
    return readdirSync(this.#dir)
      .filter((name) => /^\d{16}\.seg$/.test(name))
      .sort()
      .map((name) => {
        const path = join(this.#dir, name);
        return { path, position: Number(name.slice(0, 16)), bytes: statSync(path).size };
      })
      .filter(({ bytes }) => bytes > 0);
  }
}

function steps(maxPayloadBytes: number, tornBytes: number): fc.Arbitrary<Step[]> {
  const sizes = fc.array(fc.integer({ min: 1, max: maxPayloadBytes }), { minLength: 1, maxLength: 5 });
  const of = (kind: "seal" | "sync" | "restart" | "give room"): fc.Arbitrary<Step> =>
    fc.constant({ do: kind });
  const step = fc.oneof<fc.WeightedArbitrary<Step>[]>(
    {
      weight: 10,
      arbitrary: fc.record({ do: fc.constant("write" as const), sizes, app: fc.integer({ min: 0, max: 2 }) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("append, then crash" as const), sizes }) },
    { weight: 2, arbitrary: of("seal") },
    { weight: 1, arbitrary: of("sync") },
    { weight: 2, arbitrary: of("restart") },
    { weight: 1, arbitrary: of("give room") },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant("tear" as const), bytes: fc.nat({ max: tornBytes }) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant("flip" as const), segment: fc.nat(), at: fc.nat() }),
    },
  );
  return fc.array(step, { maxLength: 40 });
}

test("tiny segments: any sequence of writes, seals, crashes, torn ends and flipped bytes agrees with a list in memory", async () => {
  await fc.assert(
    fc.asyncProperty(steps(90, 200), (sequence) =>
      new ModelledJournal({ segmentBytes: 300, capBytes: 1_500, maxPayloadBytes: 90 }).run(sequence),
    ),
    { numRuns: modelRuns(300) },
  );
});

test("segments of 8 MiB agree with the list as well", async () => {
  const sizes = { segmentBytes: 8_388_608, capBytes: 25_165_824, maxPayloadBytes: 1_000_000 };
  await fc.assert(
    fc.asyncProperty(steps(sizes.maxPayloadBytes, 2_000_000), (sequence) =>
      new ModelledJournal(sizes).run(sequence),
    ),
    { numRuns: modelRuns(6) },
  );
});
