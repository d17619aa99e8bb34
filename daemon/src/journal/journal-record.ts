/** What a segment holds, whatever its format: who sends, and what was received. */
export type JournalRecord =
  | { type: "instance"; reference: number; json: string }
  | { type: "frame"; reference: number; receivedUnixMs: number; messageType: number; payload: Buffer };

/** Bytes of a frame's record before the payload, without the record's header. */
export const FRAME_PREFIX_BYTES = 14;
const INSTANCE_PREFIX_BYTES = 5;
const INSTANCE = 1;
const FRAME = 2;

export function encodeInstance(reference: number, json: string): Buffer {
  const text = Buffer.from(json);
  const body = Buffer.allocUnsafe(INSTANCE_PREFIX_BYTES + text.length);
  body[0] = INSTANCE;
  body.writeUInt32LE(reference, 1);
  text.copy(body, INSTANCE_PREFIX_BYTES);
  return body;
}

/** Writes what stands before a frame's payload. */
export function writeFramePrefix(
  target: Buffer,
  offset: number,
  reference: number,
  receivedUnixMs: number,
  messageType: number,
): void {
  target[offset] = FRAME;
  target.writeUInt32LE(reference, offset + 1);
  target.writeDoubleLE(receivedUnixMs, offset + 5);
  target[offset + 13] = messageType;
}

/** A record from its body; a frame's payload is a view. Null for a body that no writer makes. */
export function decodeRecordBody(body: Buffer): JournalRecord | null {
  if (body[0] === INSTANCE && body.length >= INSTANCE_PREFIX_BYTES)
    return {
      type: "instance",
      reference: body.readUInt32LE(1),
      json: body.toString("utf8", INSTANCE_PREFIX_BYTES),
    };
  if (body[0] === FRAME && body.length >= FRAME_PREFIX_BYTES)
    return {
      type: "frame",
      reference: body.readUInt32LE(1),
      receivedUnixMs: body.readDoubleLE(5),
      messageType: body.readUInt8(13),
      payload: body.subarray(FRAME_PREFIX_BYTES),
    };
  return null;
}
