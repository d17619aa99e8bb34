/**
 * The journal: every frame from the apps, as received, in a ring of segment files. One mechanism for three uses: recovery after a
 * crash, late sampling of kept traces, and looking up the last minutes.
 *
 * Invariants: a frame is acknowledged only after flush() returned; positions only grow, also across restarts; a new run
 * never writes to an old segment, nor does anyone to one that failed; what is flushed together lies in one segment; whole
 * segments are deleted, oldest first, when the ring exceeds its cap.
 * Not promised here: durability against power loss (the page cache survives kill -9; sync() at each seal bounds the rest).
 */
import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
  unlinkSync,
  writevSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { DaemonError } from "../errors.ts";
import {
  decodeRecord,
  encodeFramePrefix,
  encodeInstanceRecord,
  encodeSegmentHeader,
  type JournalRecord,
  RECORD_HEADER_BYTES,
  readSegment,
} from "./segment.ts";

const dataSync = promisify(fdatasync);

export interface JournalOptions {
  dir: string;
  segmentBytes: number;
  capBytes: number;
  /** "always": flush() returns only when the disk has it. */
  fsync: "seal" | "always";
}

interface SegmentFile {
  path: string;
  position: number;
  bytes: number;
}

/** A writer's handle for one instance: the journal announces it once in each segment. */
export interface JournalInstance {
  readonly reference: number;
  readonly json: string;
}

export class Journal {
  readonly #options: JournalOptions;
  readonly #segments: SegmentFile[] = [];
  readonly #announced = new Set<number>();
  readonly #readFds = new Map<string, number>();
  /** Files that are written to no more, and not known to be on the disk yet. */
  readonly #unsyncedFds: number[] = [];
  #queue: Buffer[] = [];
  #fd = -1;
  #references = 0;
  #startPosition = 0;
  #keepFrom = 0;
  /** Bytes of the newest segment that were written whole. */
  #flushedBytes = 0;
  /** Bytes of finished segments that could not be read at start. */
  unreadableBytes = 0;
  /** Segments that were deleted although they held frames not yet sealed. */
  unsealedSegmentsDropped = 0;

  /** Opens the folder, creating it; old segments stay readable. Throws the file system's error. */
  constructor(options: JournalOptions) {
    this.#options = options;
    mkdirSync(options.dir, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(options.dir).sort()) {
      const match = /^(\d{16})\.seg$/.exec(name);
      if (match === null) continue;
      const path = join(options.dir, name);
      const bytes = statSync(path).size;
      // A crash between creating a segment and its first write leaves an empty file whose name the next one needs.
      if (bytes === 0) unlinkSync(path);
      else this.#segments.push({ path, position: Number(match[1]), bytes });
    }
    // Bytes beyond the next segment's start are leftovers of a failed write: they were never acknowledged.
    this.#segments.forEach((segment, i) => {
      const next = this.#segments[i + 1];
      if (next !== undefined) segment.bytes = Math.min(segment.bytes, next.position - segment.position);
    });
  }

  /** Position after the last byte, queued ones included. */
  get position(): number {
    const last = this.#segments.at(-1);
    return Math.max(this.#startPosition, last === undefined ? 0 : last.position + last.bytes);
  }

  /** Lets positions go on from here at least, should segments have been removed by hand. Call before the first append. */
  startFrom(position: number): void {
    this.#startPosition = position;
  }

  /** Position of the oldest byte that is held. */
  get firstPosition(): number {
    return this.#segments[0]?.position ?? this.position;
  }

  get bytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  get segments(): number {
    return this.#segments.length;
  }

  createInstance(json: string): JournalInstance {
    return { reference: ++this.#references, json };
  }

  /** Visits every intact record that was there before this run, oldest first. Call before the first append. */
  replay(visit: (record: JournalRecord, position: number) => void): void {
    for (const { path, position, bytes } of this.#segments) {
      const held = readIfPossible(path)?.subarray(0, bytes);
      if (!held) this.unreadableBytes += bytes;
      else
        this.unreadableBytes += readSegment(held, (record, offset) =>
          visit(record, position + offset),
        ).unreadableBytes;
    }
  }

  /** Queues a frame; its position is the result. The payload must stay unchanged until flush(). Throws like flush(). */
  append(instance: JournalInstance, receivedUnixMs: number, messageType: number, payload: Buffer): number {
    const isFull = this.#fd === -1 || (this.#segments.at(-1)?.bytes ?? 0) >= this.#options.segmentBytes;
    if (isFull && this.#queue.length === 0) this.#roll();
    if (!this.#announced.has(instance.reference)) {
      this.#announced.add(instance.reference);
      this.#enqueue(encodeInstanceRecord(instance.reference, instance.json));
    }
    const position = this.position;
    this.#enqueue(encodeFramePrefix(instance.reference, receivedUnixMs, messageType, payload));
    this.#enqueue(payload);
    return position;
  }

  /** Writes what is queued to the page cache. Throws the file system's error; what was queued is then as if never appended. */
  flush(): void {
    if (this.#queue.length === 0) return;
    try {
      this.#writeQueue();
      if (this.#options.fsync === "always") fdatasyncSync(this.#fd);
      this.#flushedBytes = this.#segments.at(-1)?.bytes ?? 0;
    } catch (error) {
      this.#giveUpQueue();
      throw error;
    }
  }

  #writeQueue(): void {
    while (this.#queue.length > 0) {
      let written = writevSync(this.#fd, this.#queue.slice(0, 1024));
      while (written > 0) {
        const head = this.#queue[0] as Buffer;
        if (written >= head.length) {
          written -= head.length;
          this.#queue.shift();
        } else {
          this.#queue[0] = head.subarray(written);
          written = 0;
        }
      }
    }
  }

  /** Cuts the segment back to what was written whole, and leaves it: the next append begins a new one. */
  #giveUpQueue(): void {
    const { path } = this.#segments.at(-1) as SegmentFile;
    const fd = this.#fd;
    this.#queue = [];
    this.#unsyncedFds.push(fd);
    this.#fd = -1;
    try {
      if (this.#flushedBytes === 0) unlinkSync(path);
      else ftruncateSync(fd, this.#flushedBytes);
    } catch {
      // The next segment begins where the whole records end, so the rest is never read.
    }
    if (this.#flushedBytes === 0) this.#segments.pop();
    else (this.#segments.at(-1) as SegmentFile).bytes = this.#flushedBytes;
  }

  /** Asks the disk to keep what was flushed; resolves when it did. */
  async sync(): Promise<void> {
    const finished = this.#unsyncedFds.splice(0);
    const open = this.#fd === -1 ? finished : [...finished, this.#fd];
    const results = await Promise.allSettled(open.map((fd) => dataSync(fd)));
    for (const fd of finished) closeSync(fd);
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }

  /** Reads back one frame by its position. Throws RECORD_CORRUPT when it is gone or damaged. */
  readFrame(position: number): Buffer {
    const segment = this.#segments.findLast((candidate) => candidate.position <= position);
    if (segment === undefined)
      throw new DaemonError("RECORD_CORRUPT", `the journal no longer holds position ${position}`);
    const fd = this.#openForReading(segment.path);
    const offset = position - segment.position;
    const header = readBytes(fd, offset, RECORD_HEADER_BYTES);
    const payloadBytes = header.length < RECORD_HEADER_BYTES ? 0 : header.readUInt32LE(0);
    const recordBytes = Math.min(RECORD_HEADER_BYTES + payloadBytes, Math.max(0, segment.bytes - offset));
    const found = decodeRecord(readBytes(fd, offset, recordBytes), 0);
    if (found?.record.type !== "frame")
      throw new DaemonError("RECORD_CORRUPT", `the journal's record at ${position} is damaged`);
    return found.record.payload;
  }

  /** Notes that a replay needs nothing before `keepFrom`, and deletes what exceeds the cap. */
  trim(keepFrom: number): void {
    this.#keepFrom = keepFrom;
    this.#trim();
  }

  /** Deletes whole segments, oldest first, until the ring fits its cap; those a replay would need are counted. */
  #trim(): void {
    let bytes = this.bytes;
    while (bytes > this.#options.capBytes && this.#segments.length > 1) {
      const oldest = this.#segments.shift() as SegmentFile;
      bytes -= oldest.bytes;
      if (oldest.position + oldest.bytes > this.#keepFrom) this.unsealedSegmentsDropped++;
      try {
        unlinkSync(oldest.path);
      } catch {
        // Gone already, or the disk refuses: the next start finds it and tries again.
      }
    }
  }

  /** Ends a series of readFrame() calls: releases the files it opened. */
  endReading(): void {
    for (const fd of this.#readFds.values()) closeSync(fd);
    this.#readFds.clear();
  }

  close(): void {
    this.endReading();
    for (const fd of [...this.#unsyncedFds.splice(0), this.#fd]) if (fd !== -1) closeSync(fd);
    this.#fd = -1;
  }

  #roll(): void {
    if (this.#fd !== -1) this.#unsyncedFds.push(this.#fd);
    this.#fd = -1;
    this.#trim();
    const position = this.position;
    const path = join(this.#options.dir, `${String(position).padStart(16, "0")}.seg`);
    // A file of this name can only be what a failed write left behind: it holds nothing.
    this.#fd = openSync(path, "w", 0o600);
    this.#segments.push({ path, position, bytes: 0 });
    this.#flushedBytes = 0;
    this.#announced.clear();
    this.#enqueue(encodeSegmentHeader(position));
  }

  #enqueue(bytes: Buffer): void {
    this.#queue.push(bytes);
    const segment = this.#segments.at(-1);
    if (segment !== undefined) segment.bytes += bytes.length;
  }

  #openForReading(path: string): number {
    let fd = this.#readFds.get(path);
    if (fd === undefined) {
      fd = openSync(path, "r");
      this.#readFds.set(path, fd);
    }
    return fd;
  }
}

/** A disk that refuses one segment must not keep the daemon from starting with the others. */
function readIfPossible(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch {
    return null;
  }
}

/** Bytes of a file from an offset on; fewer at its end. */
function readBytes(fd: number, offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  return bytes.subarray(0, readSync(fd, bytes, 0, length, offset));
}
