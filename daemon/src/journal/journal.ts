/**
 * The journal: every frame from the apps, as received, in a ring of segment files (segment.ts). One mechanism for three uses:
 * recovery after a crash, late sampling of kept traces, and looking up the last minutes.
 *
 * Invariants
 * - A frame is acknowledged only after flush() returned: then it is in the page cache (which a kill -9 survives), with
 *   fsync "always" on the disk.
 * - Positions only grow, also across restarts, and a frame's position never changes: counters are exact after a crash because a
 *   replay from the sealed position sees the same frames in the same order.
 * - What is flushed together lies in one segment, and is there whole or not at all: a failed write is cut back to the last whole
 *   record, and the segment is left. A new run never writes to an old segment, nor does anyone to one that failed.
 * - A sync that failed is never asked for again: the segment is copied to a new file, that is synced, and takes its place
 *   (docs/decisions/0006-rewrite-what-did-not-sync.md).
 * - Damage costs the records it touches. Bytes that cannot be read at start are copied to `quarantine/`, counted.
 * - Whole segments are unlinked, oldest first, when the ring exceeds its cap: on disk are at most the cap and the segment being
 *   written. Sizes are the files' own, found by scanning at start.
 * - A segment in a format of a later release is neither read nor deleted nor counted against the cap; positions go on behind it.
 *
 * Not promised here: durability against power loss with fsync "seal" (sync() at each seal bounds it to one window), and frames
 * in segments that went because the ring was full before they were sealed: those segments are counted.
 */

import { randomInt } from "node:crypto";
import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  unlinkSync,
  writevSync,
} from "node:fs";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { QuarantineFolder } from "../disk/quarantine-folder.ts";
import { DaemonError } from "../errors.ts";
import type { JournalRecord } from "./journal-record.ts";
import { readSegment } from "./read-segment.ts";
import { rewriteSegment } from "./rewrite-segment.ts";
import { type SegmentFile, scanSegments } from "./scan-segments.ts";
import { MarkedSegment } from "./segment.ts";

const dataSync = promisify(fdatasync);

export interface JournalOptions {
  dir: string;
  segmentBytes: number;
  capBytes: number;
  /** "always": flush() returns only when the disk has it. */
  fsync: "seal" | "always";
  /** A sync failed; the segment is rewritten before anything counts as synced. */
  onSyncFailed?: (error: Error, path: string) => void;
}

/** A segment as those see it who search the ring. */
export interface RingSegment {
  path: string;
  /** Position of its first byte in the whole journal. */
  position: number;
  /** As many bytes as were flushed. */
  bytes: number;
}

/** A writer's handle for one instance: the journal announces it in each segment. */
export interface JournalInstance {
  readonly reference: number;
  readonly json: string;
}

/** A segment that this run writes, or wrote. */
interface WrittenSegment extends SegmentFile {
  fd: number;
  format: MarkedSegment;
}

export class Journal {
  readonly #options: JournalOptions;
  readonly #segments: SegmentFile[];
  readonly #scannedEnd: number;
  readonly #quarantine: QuarantineFolder;
  readonly #announced = new Set<number>();
  readonly #readFds = new Map<string, number>();
  /** Segments that are written to no more, and not known to be on the disk yet. */
  readonly #unsynced: WrittenSegment[] = [];
  /** Segments whose sync failed. */
  readonly #distrusted = new Set<SegmentFile>();
  #queue: Buffer[] = [];
  #current: WrittenSegment | null = null;
  /** Random at first, so that a reference of an earlier run is never taken for one of this run. */
  #references = randomInt(0x7fff_ffff);
  #startPosition = 0;
  #keepFrom = 0;
  /** Bytes of the newest segment that were written whole. */
  #flushedBytes = 0;
  /** Files in the journal's folder that only a later release reads; they are left alone. */
  readonly newerFiles: readonly string[];
  /** Bytes of old segments that could not be read at start. */
  unreadableBytes = 0;
  /** Segments that were deleted although they held frames not yet sealed. */
  unsealedSegmentsDropped = 0;
  /** Syncs that the disk refused, since start. */
  syncFailures = 0;

  /** Opens the folder, creating it; old segments stay readable. Throws the file system's error. */
  constructor(options: JournalOptions) {
    this.#options = options;
    mkdirSync(options.dir, { recursive: true, mode: 0o700 });
    const { segments, newerFiles, end } = scanSegments(options.dir);
    this.#segments = segments;
    this.newerFiles = newerFiles;
    this.#scannedEnd = end;
    this.#quarantine = new QuarantineFolder(join(options.dir, "quarantine"));
  }

  /** Position after the last byte, queued ones included. */
  get position(): number {
    const last = this.#segments.at(-1);
    const end = last === undefined ? 0 : last.position + last.bytes;
    return Math.max(this.#startPosition, this.#scannedEnd, end);
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

  get quarantinedBytes(): number {
    return this.#quarantine.keptBytes;
  }

  /** What the ring holds now, newest first. A file is never written over, but it may be gone when it is opened. */
  ring(): RingSegment[] {
    return this.#segments
      .map((segment) => ({
        path: segment.path,
        position: segment.position,
        bytes: segment === this.#current ? this.#flushedBytes : segment.bytes,
      }))
      .toReversed();
  }

  createInstance(json: string): JournalInstance {
    this.#references = (this.#references + 1) >>> 0;
    return { reference: this.#references, json };
  }

  /**
   * Visits every intact record that was there before this run, oldest segment first, in each the instances before the frames.
   * A payload is valid during its visit. Call before the first append.
   */
  replay(visit: (record: JournalRecord, position: number) => void): void {
    const memory = Buffer.allocUnsafe(Math.max(0, ...this.#segments.map(({ bytes }) => bytes)));
    this.#segments.forEach(({ path, position, bytes, format }, i) => {
      const held = readIfPossible(path, memory.subarray(0, bytes));
      if (held === null) {
        this.unreadableBytes += bytes;
        return;
      }
      const visitHere = (record: JournalRecord, offset: number): void => visit(record, position + offset);
      // References of format 1 mean something in their own segment alone.
      const visitV1 = (record: JournalRecord, offset: number): void =>
        visitHere({ ...record, reference: -1 - i - record.reference * this.#segments.length }, offset);
      for (const damaged of readSegment(held, format?.version === 1 ? visitV1 : visitHere)) {
        this.unreadableBytes += damaged.bytes;
        this.#quarantine.copy(
          `${basename(path)}.${damaged.offset}`,
          held.subarray(damaged.offset, damaged.offset + damaged.bytes),
        );
      }
    });
  }

  /** Queues a frame; its position is the result. The payload must stay unchanged until flush(). Throws like flush(). */
  append(instance: JournalInstance, receivedUnixMs: number, messageType: number, payload: Buffer): number {
    const isFull = this.#current === null || this.#current.bytes >= this.#options.segmentBytes;
    const segment = isFull && this.#queue.length === 0 ? this.#roll() : (this.#current as WrittenSegment);
    const isNew = !this.#announced.has(instance.reference);
    if (isNew) this.#announce(segment, instance);
    const { reference } = instance;
    const position = segment.position + segment.bytes;
    const prefix = segment.format.encodeFramePrefix(
      segment.bytes,
      reference,
      receivedUnixMs,
      messageType,
      payload,
    );
    this.#enqueue(segment, prefix);
    this.#enqueue(segment, payload);
    if (isNew) this.#announce(segment, instance);
    return position;
  }

  #announce(segment: WrittenSegment, { reference, json }: JournalInstance): void {
    this.#announced.add(reference);
    this.#enqueue(segment, segment.format.encodeInstanceRecord(segment.bytes, reference, json));
  }

  /** Writes what is queued to the page cache. Throws the file system's error; what was queued is then as if never appended. */
  flush(): void {
    const segment = this.#current;
    if (this.#queue.length === 0 || segment === null) return;
    try {
      this.#writeQueue(segment.fd);
      if (this.#options.fsync === "always") this.#syncNow(segment);
      this.#flushedBytes = segment.bytes;
    } catch (error) {
      this.#giveUpQueue(segment);
      throw error;
    }
  }

  #syncNow(segment: WrittenSegment): void {
    try {
      fdatasyncSync(segment.fd);
    } catch (error) {
      this.#distrust(segment, error as Error);
      throw error;
    }
  }

  #writeQueue(fd: number): void {
    while (this.#queue.length > 0) {
      let written = writevSync(fd, this.#queue.slice(0, 1024));
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
  #giveUpQueue(segment: WrittenSegment): void {
    this.#queue = [];
    this.#leave(segment);
    try {
      if (this.#flushedBytes === 0) unlinkSync(segment.path);
      else ftruncateSync(segment.fd, this.#flushedBytes);
    } catch {
      // The next segment begins where the whole records end, so the rest is never read.
    }
    segment.bytes = this.#flushedBytes;
    if (this.#flushedBytes === 0) {
      this.#segments.pop();
      this.#distrusted.delete(segment);
    }
  }

  /** Nothing more is written to a segment; the next append begins a new one. */
  #leave(segment: WrittenSegment): void {
    this.#unsynced.push(segment);
    this.#current = null;
  }

  /** Nothing more is done with a segment's descriptor but to close it. */
  #abandon(segment: WrittenSegment): void {
    if (segment === this.#current) this.#current = null;
    const place = this.#unsynced.indexOf(segment);
    if (place !== -1) this.#unsynced.splice(place, 1);
  }

  #distrust(segment: SegmentFile, error: Error): void {
    this.syncFailures++;
    this.#distrusted.add(segment);
    this.#options.onSyncFailed?.(error, segment.path);
  }

  /** Asks the disk to keep what was flushed; resolves when it did, and rejects with the file system's error. */
  async sync(): Promise<void> {
    const done = new Set(this.#unsynced.splice(0));
    const open = this.#current === null ? [...done] : [...done, this.#current];
    await Promise.all(
      open
        .filter((segment) => !this.#distrusted.has(segment))
        .map((segment) =>
          dataSync(segment.fd).catch((error: Error) => {
            this.#distrust(segment, error);
            this.#abandon(segment);
            done.add(segment);
          }),
        ),
    );
    for (const { fd } of done) closeSync(fd);
    for (const segment of this.#distrusted) await this.#rewrite(segment);
  }

  async #rewrite(segment: SegmentFile): Promise<void> {
    if (this.#segments.includes(segment)) await rewriteSegment(segment.path, segment.bytes);
    this.#distrusted.delete(segment);
    // Deleted for room in the meantime: the copy must not outlive it.
    if (!this.#segments.includes(segment)) unlinkIfPossible(segment.path);
  }

  /** Reads back one frame by its position. Throws RECORD_CORRUPT when it is gone or damaged. */
  readFrame(position: number): Buffer {
    const segment = this.#segments.findLast((candidate) => candidate.position <= position);
    if (segment === undefined || segment.format === null)
      throw new DaemonError("RECORD_CORRUPT", `the journal no longer holds position ${position}`);
    const { format } = segment;
    const fd = this.#openForReading(segment.path);
    const offset = position - segment.position;
    const header = readBytes(fd, offset, format.recordHeaderBytes);
    const recordBytes = header.length < format.recordHeaderBytes ? 0 : format.recordBytes(header);
    const bytes = readBytes(fd, offset, Math.min(recordBytes, Math.max(0, segment.bytes - offset)));
    const found = format.decode(bytes, 0, offset);
    if (found?.record.type !== "frame")
      throw new DaemonError("RECORD_CORRUPT", `the journal's record at ${position} is damaged`);
    return found.record.payload;
  }

  /** Notes that a replay needs nothing before `keepFrom`, and deletes what exceeds the cap. */
  trim(keepFrom: number): void {
    this.#keepFrom = keepFrom;
    this.#trim();
  }

  /** Deletes the oldest segment that no replay needs; answers its bytes, 0 when there is none. */
  giveOldest(): number {
    const [oldest] = this.#segments;
    if (oldest === undefined || this.#segments.length < 2) return 0;
    if (oldest.position + oldest.bytes > this.#keepFrom) return 0;
    this.#dropOldest();
    return oldest.bytes;
  }

  /** Deletes whole segments, oldest first, until the ring fits its cap; those a replay would need are counted. */
  #trim(): void {
    let bytes = this.bytes;
    while (bytes > this.#options.capBytes && this.#segments.length > 1) bytes -= this.#dropOldest();
  }

  #dropOldest(): number {
    const oldest = this.#segments.shift() as SegmentFile;
    if (oldest.position + oldest.bytes > this.#keepFrom) this.unsealedSegmentsDropped++;
    unlinkIfPossible(oldest.path);
    return oldest.bytes;
  }

  /** Ends a series of readFrame() calls: releases the files it opened. */
  endReading(): void {
    for (const fd of this.#readFds.values()) closeSync(fd);
    this.#readFds.clear();
  }

  close(): void {
    this.endReading();
    for (const { fd } of this.#unsynced.splice(0)) closeSync(fd);
    if (this.#current !== null) closeSync(this.#current.fd);
    this.#current = null;
  }

  #roll(): WrittenSegment {
    if (this.#current !== null) this.#leave(this.#current);
    this.#trim();
    const position = this.position;
    const path = join(this.#options.dir, `${String(position).padStart(16, "0")}.seg`);
    // A file of this name can only be what a failed write left behind: it holds nothing.
    const fd = openSync(path, "w", 0o600);
    const segment = { path, position, bytes: 0, format: new MarkedSegment(), fd };
    this.#current = segment;
    this.#segments.push(segment);
    this.#flushedBytes = 0;
    this.#announced.clear();
    this.#enqueue(segment, segment.format.encodeHeader(position));
    return segment;
  }

  #enqueue(segment: WrittenSegment, bytes: Buffer): void {
    this.#queue.push(bytes);
    segment.bytes += bytes.length;
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

/** Fills `memory` with a file's first bytes; null when a disk refuses: that must not keep the daemon from starting. */
function readIfPossible(path: string, memory: Buffer): Buffer | null {
  try {
    const fd = openSync(path, "r");
    try {
      let at = 0;
      while (at < memory.length) {
        const read = readSync(fd, memory, at, memory.length - at, at);
        if (read === 0) break;
        at += read;
      }
      return memory.subarray(0, at);
    } finally {
      closeSync(fd);
    }
  } catch {
    return null;
  }
}

/** Bytes of a file from an offset on; fewer at its end. */
function readBytes(fd: number, offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  return bytes.subarray(0, readSync(fd, bytes, 0, length, offset));
}

function unlinkIfPossible(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Gone already, or the disk refuses: the next start finds it and tries again.
  }
}
