import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { decodeBatch } from "@apm-daemon/protocol";
import * as fc from "fast-check";
import { modelFolder, modelRuns } from "../testing/model-runs.ts";
import { STREAM, sampleBatch } from "../testing/sample-header.ts";
import { type LostBatch, Outbox } from "./outbox.ts";

type Step =
  | { do: "seal"; batches: number; text: number }
  | { do: "write, then crash" }
  | { do: "commit"; at: number }
  | { do: "restart" }
  | { do: "flip"; at: number; byte: number }
  | { do: "send"; at: number }
  | { do: "give room" };

/** Three or four batches of those that the steps make. */
const CAP_BYTES = 2_500;

/** What the outbox must offer, kept in memory. */
class ModelledOutbox {
  readonly #dir = modelFolder();
  #waiting = new Map<number, { bytes: Buffer; isDamaged: boolean }>();
  #lost: LostBatch[] = [];
  #outbox: Outbox;
  #next = 1;

  constructor() {
    this.#outbox = this.#open();
  }

  #open(): Outbox {
    return new Outbox({ dir: this.#dir, capBytes: CAP_BYTES, onLost: (lost) => this.#lose(lost) });
  }

  /** Only the oldest may be lost for room, and a damaged one by being read; both are told with what is known of them. */
  #lose(lost: LostBatch): void {
    this.#lost.push(lost);
    const batch = this.#waiting.get(lost.number);
    assert.ok(batch !== undefined, `${lost.number} was waiting`);
    if (lost.reason === "outbox_full") assert.equal(lost.number, Math.min(...this.#waiting.keys()));
    else assert.ok(batch.isDamaged);
    if (batch.isDamaged) assert.equal(lost.header, null);
    else assert.deepEqual(lost.header, decodeBatch(batch.bytes).header);
    this.#waiting.delete(lost.number);
  }

  async run(steps: readonly Step[]): Promise<void> {
    try {
      for (const step of steps) {
        await this.#do(step);
        this.#check();
      }
      const { droppedBatches, quarantinedBatches } = this.#outbox;
      const ofThisRun = this.#lost.slice(this.#lost.length - droppedBatches - quarantinedBatches);
      assert.equal(ofThisRun.filter(({ reason }) => reason === "outbox_corrupt").length, quarantinedBatches);
    } finally {
      rmSync(this.#dir, { recursive: true });
    }
  }

  async #do(step: Step): Promise<void> {
    if (step.do === "seal") await this.#seal(step.batches, step.text);
    else if (step.do === "write, then crash") {
      // The last of its seal: the next start finds and offers it.
      const bytes = sampleBatch(this.#next);
      await this.#outbox.write(this.#next, bytes);
      this.#waiting.set(this.#next++, { bytes, isDamaged: false });
      this.#outbox = this.#open();
    } else if (step.do === "restart") this.#outbox = this.#open();
    else if (step.do === "give room") {
      const before = this.#waiting.size;
      const freed = this.#outbox.giveOldest();
      assert.equal(this.#waiting.size, before - (freed > 0 ? 1 : 0));
      assert.equal(freed > 0, before > 1);
    } else this.#touch(step);
  }

  #touch(step: Step & { at: number }): void {
    const number = [...this.#waiting.keys()][step.at % Math.max(1, this.#waiting.size)];
    if (number === undefined) return;
    const batch = this.#waiting.get(number) as { bytes: Buffer; isDamaged: boolean };
    if (step.do === "flip") {
      // The version and the reserved bytes tell a batch of a later release from a damaged one: other bytes here.
      const damaged = Buffer.from(batch.bytes);
      const at = 40 + (step.byte % (damaged.length - 40));
      damaged[at] = (damaged[at] as number) ^ 0x55;
      writeFileSync(this.#path(number), damaged);
      batch.isDamaged = true;
    } else if (step.do === "send") {
      const { isDamaged, bytes } = batch;
      const read = this.#outbox.read(number);
      assert.deepEqual(read === null ? null : Buffer.from(read), isDamaged ? null : bytes);
      assert.equal(this.#waiting.has(number), !isDamaged);
    } else {
      this.#outbox.delete(number);
      this.#waiting.delete(number);
    }
  }

  async #seal(batches: number, text: number): Promise<void> {
    const made = Array.from({ length: batches }, () => {
      const number = this.#next++;
      const errors = [{ message: `${number} `.repeat(text) }] as never;
      return { number, bytes: sampleBatch(number, { errors }) };
    });
    for (const { number, bytes } of made) await this.#outbox.write(number, bytes);
    for (const { number, bytes } of made) {
      this.#waiting.set(number, { bytes, isDamaged: false });
      this.#outbox.offer(number, bytes.length, 0);
    }
  }

  #check(): void {
    const numbers = [...this.#waiting.keys()].sort((a, b) => a - b);
    assert.deepEqual(this.#outbox.numbers(), numbers);
    const files = readdirSync(this.#dir).filter((name) => name.endsWith(".batch"));
    assert.deepEqual(
      files.sort(),
      numbers.map((number) => `${String(number).padStart(12, "0")}.batch`),
    );
    const bytes = files.reduce((sum, name) => sum + statSync(join(this.#dir, name)).size, 0);
    assert.equal(this.#outbox.bytes, bytes);
    const newest = numbers.at(-1);
    if (newest !== undefined && numbers.length > 1)
      assert.ok(bytes <= CAP_BYTES + this.#sizeOf(newest), `${bytes}`);
    for (const [number, batch] of this.#waiting)
      if (!batch.isDamaged) assert.equal(decodeBatch(readFileSync(this.#path(number))).header.stream, STREAM);
  }

  #sizeOf(number: number): number {
    return this.#waiting.get(number)?.bytes.length ?? 0;
  }

  #path(number: number): string {
    return join(this.#dir, `${String(number).padStart(12, "0")}.batch`);
  }
}

const at = fc.nat();
const step = fc.oneof<fc.WeightedArbitrary<Step>[]>(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("seal" as const),
      batches: fc.integer({ min: 1, max: 3 }),
      text: fc.integer({ min: 1, max: 400 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "write, then crash" }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("commit" as const), at }) },
  { weight: 2, arbitrary: fc.constant({ do: "restart" }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("flip" as const), at, byte: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("send" as const), at }) },
  { weight: 1, arbitrary: fc.constant({ do: "give room" }) },
);

test("any sequence of seals, commits, crashes and damage agrees with a map in memory", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), (sequence) => new ModelledOutbox().run(sequence)),
    { numRuns: modelRuns(300) },
  );
});
