import { type Batch, decodeBatch, decodeBatchIdentity } from "@apm-daemon/protocol";
import type { Logger } from "pino";
import type { DeadLetter, DeadLetters } from "../outbox/dead-letters.ts";
import type { PartsFolder } from "../outbox/parts-folder.ts";
import { splitBatch } from "../outbox/split-batch.ts";
import type { SendQueue } from "./send-queue.ts";

export interface Refusal {
  code: string;
  message: string;
}

export interface RefusedBatchesOptions {
  queue: SendQueue;
  parts: PartsFolder;
  deadLetters: DeadLetters;
  /** A batch was given up; its rows will never be stored. */
  onDeadLetter: (lost: Pick<DeadLetter, "header" | "code" | "message">) => void;
  log: Logger;
}

/** Codes of a refusal that may be the fault of a single row. */
const OF_ROWS: ReadonlySet<string> = new Set(["BATCH_MALFORMED", "BATCH_TOO_LARGE"]);
/**
 * Most cuts of one batch: enough to find some 20 bad rows among 10,000. What is refused after that is given up as it is, so that
 * a batch whose every row is bad costs hundreds of messages and not tens of thousands.
 */
const MAX_CUTS = 256;
const MAX_BATCHES_WITH_CUTS = 1_000;
const LOG_AGAIN_MS = 10_000;

/** What becomes of batches that the collector will never take: they are split until the rows to blame are alone; those are dead letters. */
export class RefusedBatches {
  readonly #options: RefusedBatchesOptions;
  /** Cuts made of each batch, by the identity of the whole. */
  readonly #cuts: Map<string, number> = new Map();
  #loggedMs = Number.NEGATIVE_INFINITY;
  /** Dead letters since start. */
  deadLettered = 0;

  constructor(options: RefusedBatchesOptions) {
    this.#options = options;
  }

  /** Afterwards the batch is out of the queue. Rejects with the file system's error, and then it is still there. */
  async take(key: string, refusal: Refusal): Promise<void> {
    const bytes = this.#options.queue.read(key);
    if (bytes === null) return;
    const batch = readable(bytes);
    const halves =
      batch !== null && OF_ROWS.has(refusal.code) && this.#mayCut(batch) ? splitBatch(batch) : null;
    if (halves === null) await this.#giveUp(key, bytes, batch, refusal);
    else await this.#replace(key, halves);
  }

  async #replace(key: string, halves: readonly Batch[]): Promise<void> {
    const { queue, parts } = this.#options;
    const written = await parts.write(halves);
    // Given up for room meanwhile, and counted as lost.
    if (!queue.has(key)) {
      for (const { name } of written) parts.delete(name);
      return;
    }
    try {
      await queue.deleteDurably(key);
    } catch (error) {
      for (const { name } of written) parts.delete(name);
      throw error;
    }
    parts.offer(written);
  }

  async #giveUp(key: string, bytes: Uint8Array, batch: Batch | null, refusal: Refusal): Promise<void> {
    const { queue, deadLetters, onDeadLetter } = this.#options;
    const header = batch?.header ?? null;
    await deadLetters.put({ identity: decodeBatchIdentity(bytes), header, bytes, ...refusal });
    await queue.deleteDurably(key);
    this.deadLettered++;
    onDeadLetter({ header, ...refusal });
    this.#log(key, refusal);
  }

  /** Remembers how often a batch was cut; the oldest memory goes when there are too many. */
  #mayCut({ header }: Batch): boolean {
    const { stream, number } = header.partOf ?? header;
    const whole = `${stream}/${number}`;
    const cuts = this.#cuts.get(whole) ?? 0;
    if (cuts >= MAX_CUTS) return false;
    this.#cuts.set(whole, cuts + 1);
    const [oldest] = this.#cuts.keys();
    if (this.#cuts.size > MAX_BATCHES_WITH_CUTS) this.#cuts.delete(oldest as string);
    return true;
  }

  #log(key: string, { code, message }: Refusal): void {
    const nowMs = performance.now();
    if (nowMs - this.#loggedMs < LOG_AGAIN_MS) return;
    this.#loggedMs = nowMs;
    this.#options.log.error(
      { batch: key, code, deadLettered: this.deadLettered },
      `the collector cannot use a batch: ${message}; it was put into outbox/dead-letter`,
    );
  }
}

function readable(bytes: Uint8Array): Batch | null {
  try {
    return decodeBatch(bytes);
  } catch {
    return null;
  }
}
