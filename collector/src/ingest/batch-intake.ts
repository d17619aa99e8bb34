import {
  type Batch,
  type BatchHeader,
  type BatchIdentity,
  decodeBatch,
  decodeBatchIdentity,
  ProtocolError,
  type UplinkAck,
  type UplinkNack,
} from "@apm-daemon/protocol";
import type { Logger } from "pino";
import type { z } from "zod";
import type { ReceivedBatch } from "../store/batch-rows.ts";
import { StoreError } from "../store/store-error.ts";
import { BatchHeaderSchema } from "./header-schema.ts";

/** What intake needs of the store. */
export interface BatchSink {
  isCommitted(identity: BatchIdentity): boolean;
  write(received: ReceivedBatch): Promise<void>;
}

export interface BatchIntakeOptions {
  store: BatchSink;
  /** Told of each batch that was committed. */
  onStored?: (header: BatchHeader) => void;
  clock: () => number;
  log: Logger;
}

/** Bytes that do not even name their batch are answered under this identity. */
const NAMELESS: BatchIdentity = { stream: "", number: 0 };
const WHAT_TO_DO =
  'install daemon and collector of one release, and look at the batch with "apm batch show FILE" where the daemon put it aside';
const RETRY_AFTER_MS = 5_000;
const LOG_AGAIN_MS = 10_000;

type Refusal = Pick<UplinkNack, "code" | "message" | "permanent" | "retryAfterMs">;

/**
 * Turns the bytes of one batch into one ack or nack. An ack means committed (or committed before); a permanent nack means
 * that these bytes will never do; any other nack means that the store cannot take it now. Never rejects.
 */
export class BatchIntake {
  readonly #options: BatchIntakeOptions;
  /** Batches refused since the start, by code. */
  readonly #refusals: Map<UplinkNack["code"], number> = new Map();
  readonly #loggedMs: Map<UplinkNack["code"], number> = new Map();

  constructor(options: BatchIntakeOptions) {
    this.#options = options;
  }

  async take(bytes: Buffer): Promise<UplinkAck | UplinkNack> {
    let identity = NAMELESS;
    try {
      identity = decodeBatchIdentity(bytes);
      if (!this.#options.store.isCommitted(identity)) await this.#store(bytes);
      return { type: "ack", stream: identity.stream, number: identity.number };
    } catch (error) {
      const refusal = refusalOf(error);
      this.#logRefusal(identity, refusal);
      return { type: "nack", stream: identity.stream, number: identity.number, ...refusal };
    }
  }

  /** One line per kind and 10 s, with how many there were: a full disk refuses the batches of every host. */
  #logRefusal(identity: BatchIdentity, { code, message }: Refusal): void {
    const { log, clock } = this.#options;
    const refusals = (this.#refusals.get(code) ?? 0) + 1;
    this.#refusals.set(code, refusals);
    if (Math.abs(clock() - (this.#loggedMs.get(code) ?? Number.NEGATIVE_INFINITY)) < LOG_AGAIN_MS) return;
    this.#loggedMs.set(code, clock());
    log.warn({ ...identity, code, refusals }, `a batch was refused: ${message}`);
  }

  async #store(bytes: Buffer): Promise<void> {
    const batch = decodeBatch(bytes);
    const checked = BatchHeaderSchema.safeParse(batch.header);
    if (!checked.success) throw new ProtocolError("BATCH_MALFORMED", describe(checked.error, batch));
    await this.#options.store.write({
      batch: { header: checked.data, frames: batch.frames },
      receivedMs: this.#options.clock(),
      bytes: bytes.length,
    });
    this.#options.onStored?.(checked.data);
  }
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof ProtocolError) {
    const code =
      error.code === "BATCH_CORRUPT" || error.code === "CODEC_UNSUPPORTED" ? error.code : "BATCH_MALFORMED";
    return { code, message: `${error.message}; ${WHAT_TO_DO}`, permanent: true, retryAfterMs: 0 };
  }
  if (!(error instanceof StoreError)) {
    const message = `the collector failed to take the batch: ${(error as Error).message}`;
    return { code: "STORE_UNAVAILABLE", message, permanent: false, retryAfterMs: RETRY_AFTER_MS };
  }
  const codes = { BUSY: "OVERLOADED", DISK_LOW: "DISK_LOW", UNAVAILABLE: "STORE_UNAVAILABLE" } as const;
  const { code: problem } = error;
  const code = problem === "TIMEOUT" || problem === "CANCELLED" ? "STORE_UNAVAILABLE" : codes[problem];
  return { code, message: error.message, permanent: false, retryAfterMs: error.retryAfterMs };
}

/** The first thing wrong, e.g. "actions.3.app: Too big: expected string to have <=1020 characters". */
function describe(error: z.ZodError, batch: Batch): string {
  const [issue] = error.issues;
  return `batch ${batch.header.number} is malformed at ${issue?.path.join(".").slice(0, 200)}: ${issue?.message.slice(0, 200)}`;
}
