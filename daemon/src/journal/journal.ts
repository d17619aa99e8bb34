/**
 * The journal: every frame from the apps, as received, in a ring of segment files. One mechanism for three uses: recovery after a
 * crash, late sampling of kept traces, and looking up the last minutes.
 *
 * Invariants: a frame is acknowledged only after flush() returned; positions only grow, also across restarts; a new run
 * never writes to an old segment; whole segments are deleted, oldest first, when the ring exceeds its cap.
 * Not promised here: durability against power loss (the page cache survives kill -9; sync() at each seal bounds the rest).
 */
import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
  unlinkSync,
  writevSync,
} from "node:fs";
import { join } from "node:path";
import { DaemonError } from "../errors.ts";
import {
  decodeRecord,
  encodeFramePrefix,
  encodeInstanceRecord,
  encodeSegmentHeader,
  type JournalRecord,
  RECORD_HEADER_BYTES,
  readSegment,
  SEGMENT_HEADER_BYTES,
} from "./segment.ts";

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
  #queue: Buffer[] = [];
  #fd = -1;
  #references = 0;
  /** Bytes of finished segments that could not be read at start. */
  unreadableBytes = 0;
  /** Segments that were deleted although they held frames not yet sealed. */
  unsealedSegmentsDropped = 0;

  /** Opens the folder, creating it; old segments stay readable. Throws the file system's error. */
  constructor(options: JournalOptions) {
    this.#options = options;
    mkdirSync(options.dir, { recursive: true });
    for (const name of readdirSync(options.dir).sort()) {
      const match = /^(\d{16})\.seg$/.exec(name);
      if (match === null) continue;
      const path = join(options.dir, name);
      const bytes = statSync(path).size;
      // A crash between creating a segment and its first write leaves an empty file whose name the next one needs.
      if (bytes === 0) unlinkSync(path);
      else this.#segments.push({ path, position: Number(match[1]), bytes });
    }
  }

  /** Position after the last byte, queued ones included. */
  get position(): number {
    const last = this.#segments.at(-1);
    return last === undefined ? 0 : last.position + last.bytes;
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
    for (const segment of this.#segments) {
      this.unreadableBytes += readSegment(segment.path, segment.position, visit).unreadableBytes;
    }
  }

  /** Queues a frame; its position is the result. The payload must stay unchanged until flush(). */
  append(instance: JournalInstance, receivedUnixMs: number, messageType: number, payload: Buffer): number {
    if (this.#fd === -1 || (this.#segments.at(-1)?.bytes ?? 0) >= this.#options.segmentBytes) this.#roll();
    if (!this.#announced.has(instance.reference)) {
      this.#announced.add(instance.reference);
      this.#enqueue(encodeInstanceRecord(instance.reference, instance.json));
    }
    const position = this.position;
    this.#enqueue(encodeFramePrefix(instance.reference, receivedUnixMs, messageType, payload));
    this.#enqueue(payload);
    return position;
  }

  /** Writes what is queued to the page cache. Throws the file system's error; what was queued is then still queued. */
  flush(): void {
    if (this.#queue.length === 0) return;
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
    if (this.#options.fsync === "always") fdatasyncSync(this.#fd);
  }

  /** Asks the disk to keep what was flushed; resolves when it did. */
  sync(): Promise<void> {
    if (this.#fd === -1) return Promise.resolve();
    return new Promise((resolve, reject) =>
      fdatasync(this.#fd, (error) => (error ? reject(error) : resolve())),
    );
  }

  /** Reads back one frame by its position. Throws RECORD_CORRUPT when it is gone or damaged. */
  readFrame(position: number): Buffer {
    const segment = this.#segments.findLast((candidate) => candidate.position <= position);
    if (segment === undefined)
      throw new DaemonError("RECORD_CORRUPT", `the journal no longer holds position ${position}`);
    const fd = this.#openForReading(segment.path);
    const offset = position - segment.position;
    const header = Buffer.allocUnsafe(RECORD_HEADER_BYTES);
    readSync(fd, header, 0, RECORD_HEADER_BYTES, offset);
    const bytes = Buffer.allocUnsafe(
      RECORD_HEADER_BYTES + Math.min(header.readUInt32LE(0), this.#maxRecordBytes(segment, offset)),
    );
    readSync(fd, bytes, 0, bytes.length, offset);
    const found = decodeRecord(bytes, 0);
    if (found?.record.type !== "frame")
      throw new DaemonError("RECORD_CORRUPT", `the journal's record at ${position} is damaged`);
    return found.record.payload;
  }

  /** Deletes whole segments, oldest first, until the ring fits its cap. Segments after `keepFrom` go last, and are counted. */
  trim(keepFrom: number): void {
    let bytes = this.bytes;
    while (bytes > this.#options.capBytes && this.#segments.length > 1) {
      const oldest = this.#segments.shift() as SegmentFile;
      bytes -= oldest.bytes;
      if (oldest.position + oldest.bytes > keepFrom) this.unsealedSegmentsDropped++;
      unlinkSync(oldest.path);
    }
  }

  /** Ends a series of readFrame() calls: releases the files it opened. */
  endReading(): void {
    for (const fd of this.#readFds.values()) closeSync(fd);
    this.#readFds.clear();
  }

  close(): void {
    this.endReading();
    if (this.#fd === -1) return;
    this.flush();
    closeSync(this.#fd);
    this.#fd = -1;
  }

  #roll(): void {
    if (this.#fd !== -1) {
      this.flush();
      closeSync(this.#fd);
    }
    const position = this.position;
    const path = join(this.#options.dir, `${String(position).padStart(16, "0")}.seg`);
    this.#fd = openSync(path, "ax", 0o600);
    this.#segments.push({ path, position, bytes: 0 });
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

  #maxRecordBytes(segment: SegmentFile, offset: number): number {
    return Math.max(
      0,
      segment.bytes -
        offset -
        RECORD_HEADER_BYTES -
        (offset < SEGMENT_HEADER_BYTES ? SEGMENT_HEADER_BYTES : 0),
    );
  }
}
