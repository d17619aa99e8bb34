/**
 * The batch: what a daemon seals every 10 s, keeps in its outbox and sends to the collector; one format for all three.
 *
 *   offset size
 *        0    4  "APMB"
 *        4    1  format version, 1
 *        5    1  codec of the body: 0 plain, 1 gzip, 2 zstd
 *        6    2  0
 *        8   16  stream id (UUID)
 *       24    8  batch number, u64
 *       32    4  CRC-32 of the body as stored (compressed)
 *       36    4  bytes of the body as stored
 *       40    …  body: u32 header bytes, header (JSON, BatchHeader), u32 frame count, then per frame u32 bytes and a SPANS payload
 *
 * All integers are little endian. A gzip body is one member, whose trailer says how long it is inflated: a reader takes no more memory
 * than that, and a body that says too much costs nothing. The identity stands before the body, so a reader can recognise a batch that it has
 * without inflating it. A batch is immutable: the same identity always means the same bytes.
 */
import * as zlib from "node:zlib";
import type { BatchHeader } from "./batch-header.ts";
import { ProtocolError } from "./errors.ts";
import {
  MAX_BATCH_BODY_BYTES,
  MAX_BATCH_HEADER_NODES,
  MAX_BATCH_TRACES,
  MAX_MESSAGE_BYTES,
} from "./limits.ts";

export const BATCH_PREFIX_BYTES = 40;
const MAGIC = 0x424d5041; // "APMB" read as u32 LE
const VERSION = 1;
const CODECS = ["none", "gzip", "zstd"] as const;
export type BatchCodec = (typeof CODECS)[number];

/** The part of Node's zlib that newer versions (>= 22.15) have. */
interface ZstdFunctions {
  zstdCompressSync?(data: Uint8Array): Buffer;
  zstdDecompressSync?(data: Uint8Array, options: { maxOutputLength: number }): Buffer;
}
const zstd: ZstdFunctions = zlib as ZstdFunctions;

/** Codecs that this runtime can read, best first. */
export const READABLE_CODECS: readonly BatchCodec[] = zstd.zstdDecompressSync
  ? ["zstd", "gzip", "none"]
  : ["gzip", "none"];

export interface BatchIdentity {
  /** UUID, lower case. */
  stream: string;
  number: number;
}

export interface Batch {
  header: BatchHeader;
  /** SPANS payloads, one for each of `header.traces`. */
  frames: Uint8Array[];
}

/** Bytes of a batch file; `codec` must be one that the reader announced. */
export function encodeBatch(batch: Batch, codec: BatchCodec): Buffer {
  const body = compress(encodeBody(batch), codec);
  const prefix = Buffer.alloc(BATCH_PREFIX_BYTES);
  prefix.writeUInt32LE(MAGIC, 0);
  prefix[4] = VERSION;
  prefix[5] = CODECS.indexOf(codec);
  prefix.write(batch.header.stream.replaceAll("-", ""), 8, 16, "hex");
  prefix.writeBigUInt64LE(BigInt(batch.header.number), 24);
  prefix.writeUInt32LE(zlib.crc32(body), 32);
  prefix.writeUInt32LE(body.length, 36);
  return Buffer.concat([prefix, body]);
}

/** Identity of a batch from its first bytes. Throws BATCH_MALFORMED or VERSION_UNSUPPORTED. */
export function decodeBatchIdentity(bytes: Uint8Array): BatchIdentity {
  const buffer = asBuffer(bytes);
  if (buffer.length < BATCH_PREFIX_BYTES || buffer.readUInt32LE(0) !== MAGIC) {
    throw new ProtocolError("BATCH_MALFORMED", "these bytes do not start like a batch", {
      bytes: buffer.length,
    });
  }
  const version = buffer.readUInt8(4);
  if (version !== VERSION) {
    throw new ProtocolError(
      "VERSION_UNSUPPORTED",
      `batch format ${version} is unknown here; this build reads ${VERSION}`,
      { version },
    );
  }
  if (buffer.readUInt16LE(6) !== 0)
    throw new ProtocolError("BATCH_MALFORMED", "the batch's reserved bytes are not 0");
  const hex = buffer.toString("hex", 8, 24);
  const stream = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join("-");
  const number = Number(buffer.readBigUInt64LE(24));
  if (!Number.isSafeInteger(number))
    throw new ProtocolError("BATCH_MALFORMED", "the batch number exceeds 2^53", {});
  return { stream, number };
}

/**
 * A whole batch, checked. Throws BATCH_MALFORMED, BATCH_CORRUPT (checksum), CODEC_UNSUPPORTED, LIMIT_EXCEEDED
 * (a body, frame or header beyond what a reader's memory may hold) or VERSION_UNSUPPORTED. The header's rows are checked by whoever stores them.
 */
export function decodeBatch(bytes: Uint8Array): Batch {
  const identity = decodeBatchIdentity(bytes);
  const buffer = asBuffer(bytes);
  const storedBytes = buffer.readUInt32LE(36);
  const stored = buffer.subarray(BATCH_PREFIX_BYTES);
  if (stored.length !== storedBytes) {
    throw new ProtocolError("BATCH_CORRUPT", "the batch's length differs from what its prefix says", {
      storedBytes,
      foundBytes: stored.length,
    });
  }
  const expected = buffer.readUInt32LE(32);
  const found = zlib.crc32(stored);
  if (expected !== found)
    throw new ProtocolError("BATCH_CORRUPT", "the batch's checksum does not match", { expected, found });
  const batch = decodeBody(decompress(stored, buffer.readUInt8(5)));
  if (batch.header.stream !== identity.stream || batch.header.number !== identity.number) {
    throw new ProtocolError("BATCH_MALFORMED", "the batch's header names another batch than its prefix", {
      number: identity.number,
    });
  }
  return batch;
}

function encodeBody(batch: Batch): Buffer {
  const header = Buffer.from(JSON.stringify(batch.header));
  const parts: Uint8Array[] = [u32(header.length), header, u32(batch.frames.length)];
  for (const frame of batch.frames) parts.push(u32(frame.length), frame);
  return Buffer.concat(parts);
}

function decodeBody(body: Buffer): Batch {
  let offset = 0;
  const take = (bytes: number): Buffer => {
    if (bytes > body.length - offset)
      throw new ProtocolError("BATCH_MALFORMED", "the batch's body ends early", { offset, bytes });
    offset += bytes;
    return body.subarray(offset - bytes, offset);
  };
  const takeU32 = (): number => take(4).readUInt32LE(0);
  const header = parseHeader(take(takeU32()));
  const count = takeU32();
  if (count !== header.traces.length) {
    throw new ProtocolError("BATCH_MALFORMED", "the batch has another number of frames than of traces", {
      frames: count,
    });
  }
  const frames = header.traces.map(() => take(checkFrameBytes(takeU32())));
  if (offset !== body.length)
    throw new ProtocolError("BATCH_MALFORMED", "the batch's body goes on after its frames", { offset });
  return { header, frames };
}

function checkFrameBytes(bytes: number): number {
  if (bytes <= MAX_MESSAGE_BYTES) return bytes;
  throw new ProtocolError("LIMIT_EXCEEDED", `a frame of the batch has ${bytes} bytes`, {
    limitBytes: MAX_MESSAGE_BYTES,
  });
}

const HEADER_LISTS = [
  "apps",
  "processSeconds",
  "actions",
  "operations",
  "statements",
  "errors",
  "ledger",
  "traces",
] as const;

/** A header shorter than this has not enough characters to have too many nodes. */
const UNCOUNTED_HEADER_BYTES = 2 * MAX_BATCH_HEADER_NODES;
const OPENS_LIST = 0x5b;
const OPENS_OBJECT = 0x7b;

/** Also counts those within texts: it is a bound for the memory of JSON.parse, not a parser. */
function countNodes(json: Buffer): number {
  let nodes = 0;
  for (const byte of json) if (byte === OPENS_LIST || byte === OPENS_OBJECT) nodes++;
  return nodes;
}

function parseHeader(json: Buffer): BatchHeader {
  if (json.length > UNCOUNTED_HEADER_BYTES && countNodes(json) > MAX_BATCH_HEADER_NODES) {
    throw new ProtocolError("LIMIT_EXCEEDED", "the batch's header has too many rows", {
      limit: MAX_BATCH_HEADER_NODES,
    });
  }
  let header: Partial<BatchHeader> | null;
  try {
    header = JSON.parse(json.toString("utf8"));
  } catch {
    throw new ProtocolError("BATCH_MALFORMED", "the batch's header is not JSON", { bytes: json.length });
  }
  if (
    typeof header !== "object" ||
    header === null ||
    header.version !== 1 ||
    typeof header.host?.name !== "string"
  ) {
    throw new ProtocolError("BATCH_MALFORMED", "the batch's header lacks its version or host");
  }
  for (const list of HEADER_LISTS) {
    if (!Array.isArray(header[list]))
      throw new ProtocolError("BATCH_MALFORMED", `the batch's header lacks the list "${list}"`);
  }
  if ((header as BatchHeader).traces.length > MAX_BATCH_TRACES)
    throw new ProtocolError("LIMIT_EXCEEDED", `the batch has more than ${MAX_BATCH_TRACES} traces`);
  return header as BatchHeader;
}

function compress(body: Buffer, codec: BatchCodec): Buffer {
  if (codec === "gzip") return zlib.gzipSync(body, { level: 3 });
  if (codec === "zstd" && zstd.zstdCompressSync) return zstd.zstdCompressSync(body);
  if (codec === "none") return body;
  throw new ProtocolError("CODEC_UNSUPPORTED", `this runtime cannot write ${codec}; use gzip`);
}

function decompress(stored: Buffer, codecNumber: number): Buffer {
  const codec = CODECS[codecNumber];
  if (codec === "none" && stored.length > MAX_BATCH_BODY_BYTES) throw tooLarge();
  if (codec === "none") return stored;
  const bound = { maxOutputLength: MAX_BATCH_BODY_BYTES };
  try {
    if (codec === "gzip") return gunzip(stored);
    if (codec === "zstd" && zstd.zstdDecompressSync) return zstd.zstdDecompressSync(stored, bound);
  } catch (cause) {
    if (cause instanceof ProtocolError) throw cause;
    if ((cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge();
    throw new ProtocolError("BATCH_CORRUPT", "the batch's body cannot be inflated", {
      codec: codec ?? codecNumber,
    });
  }
  throw new ProtocolError("CODEC_UNSUPPORTED", `this runtime cannot read codec ${codec ?? codecNumber}`, {
    codec: codec ?? codecNumber,
  });
}

const MIN_GZIP_BYTES = 20;
const GZIP_MAGIC = 0x8b1f;

/** One buffer of the announced size and no more: inflating piece by piece would take the memory twice. */
function gunzip(stored: Buffer): Buffer {
  if (stored.length < MIN_GZIP_BYTES || stored.readUInt16LE(0) !== GZIP_MAGIC)
    return zlib.gunzipSync(stored, { maxOutputLength: MAX_BATCH_BODY_BYTES });
  const announcedBytes = stored.readUInt32LE(stored.length - 4);
  if (announcedBytes > MAX_BATCH_BODY_BYTES) throw tooLarge();
  // One byte more, so that the buffer is never full and no second one is taken.
  const chunkSize = Math.max(announcedBytes + 1, zlib.constants.Z_MIN_CHUNK);
  return zlib.gunzipSync(stored, { maxOutputLength: Math.max(announcedBytes, 1), chunkSize });
}

function tooLarge(): ProtocolError {
  return new ProtocolError("LIMIT_EXCEEDED", "the batch's body is too large after inflating", {
    limitBytes: MAX_BATCH_BODY_BYTES,
  });
}

function u32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value, 0);
  return buffer;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
