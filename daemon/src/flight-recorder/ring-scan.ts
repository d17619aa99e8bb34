import { closeSync, openSync, readSync } from "node:fs";
import { MessageType } from "@apm-daemon/protocol";
import type { RingSegment } from "../journal/journal.ts";
import { readSegment } from "../journal/read-segment.ts";

/** Bytes that are searched at once. */
const WINDOW_BYTES = 1_048_576;
/** A frame has 1 MiB at most: so many bytes of a segment hold its first one whole. */
const HEAD_BYTES = 2 * WINDOW_BYTES;
const TRACE_ID_BYTES = 16;

/** A SPANS frame of the ring. */
export interface RingFrame {
  /** Ascending in the order of the journal. */
  position: number;
  /** JSON of the instance that sent it, as the journal has it. */
  instanceJson: string;
  receivedUnixMs: number;
  payload: Buffer;
}

/** Reads segments one after another, always into the same memory: a window, and a whole segment once one has a hit. */
export class RingScan {
  readonly #window = Buffer.allocUnsafeSlow(WINDOW_BYTES);
  #whole: Buffer = Buffer.alloc(0);

  /**
   * Visits the SPANS frames of a segment that contain one of the ids, each with those it contains; a payload is valid
   * during its visit. A frame names each trace of its spans by the 16 bytes of its id, so a segment that has these bytes
   * nowhere need not be understood at all: most are only searched. Throws the file system's error.
   */
  visit(
    segment: RingSegment,
    ids: readonly Buffer[],
    visit: (frame: RingFrame, found: readonly Buffer[]) => void,
  ): void {
    withFile(segment, (fd) => {
      if (!this.#containsAny(fd, segment.bytes, ids)) return;
      visitFrames(this.#read(fd, segment.bytes), segment.position, (frame) => {
        const found = ids.filter((id) => frame.payload.includes(id));
        if (found.length > 0) visit(frame, found);
      });
    });
  }

  /** When the first frame of a segment was received; null when it has none. Throws the file system's error. */
  firstReceiptOf(segment: RingSegment): number | null {
    let first: number | null = null;
    withFile(segment, (fd) => {
      readSegment(this.#read(fd, Math.min(segment.bytes, HEAD_BYTES)), (record) => {
        if (record.type === "frame") first ??= record.receivedUnixMs;
      });
    });
    return first;
  }

  /** Reads by windows that overlap, so that an id across two of them is seen. */
  #containsAny(fd: number, fileBytes: number, ids: readonly Buffer[]): boolean {
    const window = this.#window;
    for (let at = 0; at < fileBytes; at += window.length - TRACE_ID_BYTES + 1) {
      const length = readSync(fd, window, 0, Math.min(window.length, fileBytes - at), at);
      if (length < TRACE_ID_BYTES) return false;
      const bytes = window.subarray(0, length);
      if (ids.some((id) => bytes.includes(id))) return true;
    }
    return false;
  }

  #read(fd: number, length: number): Buffer {
    if (this.#whole.length < length) this.#whole = Buffer.allocUnsafeSlow(length);
    let held = 0;
    while (held < length) {
      const read = readSync(fd, this.#whole, held, length - held, held);
      if (read === 0) break;
      held += read;
    }
    return this.#whole.subarray(0, held);
  }
}

function visitFrames(bytes: Buffer, position: number, visit: (frame: RingFrame) => void): void {
  const instances = new Map<number, string>();
  readSegment(bytes, (record, offset) => {
    if (record.type === "instance") instances.set(record.reference, record.json);
    else if (record.messageType === MessageType.spans) {
      const { receivedUnixMs, payload } = record;
      const instanceJson = instances.get(record.reference) ?? "";
      visit({ position: position + offset, instanceJson, receivedUnixMs, payload });
    }
  });
}

function withFile(segment: RingSegment, use: (fd: number) => void): void {
  const fd = openSync(segment.path, "r");
  try {
    use(fd);
  } finally {
    closeSync(fd);
  }
}
