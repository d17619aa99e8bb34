import { crc32, gunzipSync, gzipSync } from "node:zlib";
import { BATCH_PREFIX_BYTES } from "@apm-daemon/protocol";
import { mutateBytes } from "./mutate-bytes.ts";
import { mutateJson } from "./mutate-json.ts";
import type { SeededRandom } from "./random.ts";

const GZIP = 1;

/** A batch that went wrong: anywhere, or inside its body with the checksum and the lengths right. */
export function mutateBatch(batch: Buffer, random: SeededRandom, other: Buffer): Buffer {
  if (random.chance(0.25)) return mutateBytes(batch, random, other);
  const stored = batch.subarray(BATCH_PREFIX_BYTES);
  const body = batch[5] === GZIP ? gunzipSync(stored) : stored;
  return seal(batch, random.chance(0.75) ? mutateHeader(body, random) : mutateBytes(body, random, other));
}

/** The same batch under another number, so that a collector has not seen it yet. */
export function renumber(batch: Buffer, number: number): Buffer {
  const stored = batch.subarray(BATCH_PREFIX_BYTES);
  const body = batch[5] === GZIP ? gunzipSync(stored) : stored;
  const headerBytes = body.readUInt32LE(0);
  const header = JSON.parse(body.toString("utf8", 4, 4 + headerBytes)) as { number: number };
  header.number = number;
  const prefix = Buffer.from(batch.subarray(0, BATCH_PREFIX_BYTES));
  prefix.writeBigUInt64LE(BigInt(number), 24);
  return seal(prefix, withHeader(body, Buffer.from(JSON.stringify(header))));
}

/** The prefix of one batch around another body. */
function seal(batch: Buffer, body: Buffer): Buffer {
  const stored = batch[5] === GZIP ? gzipSync(body, { level: 1 }) : body;
  const prefix = Buffer.from(batch.subarray(0, BATCH_PREFIX_BYTES));
  prefix.writeUInt32LE(crc32(stored), 32);
  prefix.writeUInt32LE(stored.length, 36);
  return Buffer.concat([prefix, stored]);
}

function mutateHeader(body: Buffer, random: SeededRandom): Buffer {
  const headerBytes = body.readUInt32LE(0);
  const header = mutateJson(body.subarray(4, 4 + headerBytes), random);
  return withHeader(body, header);
}

function withHeader(body: Buffer, header: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length, 0);
  return Buffer.concat([length, header, body.subarray(4 + body.readUInt32LE(0))]);
}
