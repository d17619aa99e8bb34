/**
 * PostgreSQL's protocol 3.0, as much as the driver `pg` needs.
 *
 *   start-up   int32 length with itself, int32 code, parameters; the code SSL_REQUEST asks for TLS instead
 *   message    1 byte type, int32 length with itself, body
 */

/** A message of the client; that of the start-up has the type "". */
export interface ClientMessage {
  type: string;
  body: Buffer;
}

const SSL_REQUEST = 80_877_103;
/** A statement of the demo has some hundred bytes: more is not its driver. */
const MAX_MESSAGE_BYTES = 65_536;

/** Cuts what arrives into messages. */
export class MessageReader {
  #waiting: Buffer = Buffer.alloc(0);
  #isStarted = false;

  /** The messages that a chunk completes. Throws for what cannot be a message. */
  *read(chunk: Buffer): Generator<ClientMessage> {
    this.#waiting = Buffer.concat([this.#waiting, chunk]);
    for (let message = this.#next(); message !== null; message = this.#next()) yield message;
  }

  #next(): ClientMessage | null {
    const typeBytes = this.#isStarted ? 1 : 0;
    if (this.#waiting.length < typeBytes + 4) return null;
    const bytes = this.#waiting.readInt32BE(typeBytes);
    if (bytes < 4 || bytes > MAX_MESSAGE_BYTES)
      throw new RangeError(`a message of ${bytes} bytes is not the demo's`);
    if (this.#waiting.length < typeBytes + bytes) return null;
    const type = this.#waiting.toString("latin1", 0, typeBytes);
    const body = this.#waiting.subarray(typeBytes + 4, typeBytes + bytes);
    this.#waiting = this.#waiting.subarray(typeBytes + bytes);
    if (this.#isStarted) return { type, body };
    const isTls = body.length === 4 && body.readInt32BE(0) === SSL_REQUEST;
    this.#isStarted = !isTls;
    return { type: isTls ? "tls?" : "", body };
  }
}

/** The name of a column and the number of its type: int4 23, int8 20, text 25. */
export interface Column {
  name: string;
  type: number;
}

export function message(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(5);
  head.write(type, "latin1");
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

export function text(value: string): Buffer {
  return Buffer.from(`${value}\0`);
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

const NO_TABLE = Buffer.concat([int32(0), int16(0)]);
const AS_TEXT = int16(0);
/** Of any length, without a modifier. */
const ANY_SIZE = Buffer.concat([int16(-1), int32(-1)]);

export function rowDescription(columns: readonly Column[]): Buffer {
  const fields = columns.map(({ name, type }) =>
    Buffer.concat([text(name), NO_TABLE, int32(type), ANY_SIZE, AS_TEXT]),
  );
  return message("T", int16(columns.length), ...fields);
}

export function dataRow(values: readonly (string | null)[]): Buffer {
  const fields = values.map((value) => {
    if (value === null) return int32(-1);
    const bytes = Buffer.from(value);
    return Buffer.concat([int32(bytes.length), bytes]);
  });
  return message("D", int16(values.length), ...fields);
}

export function errorResponse(code: string, sentence: string): Buffer {
  const fields = [`SERROR`, `VERROR`, `C${code}`, `M${sentence}`].map(text);
  return message("E", ...fields, Buffer.alloc(1));
}

/** The texts that the end of a Bind message holds, null for NULL; binary values are not read. */
export function boundValues(body: Buffer): (string | null)[] {
  let at = body.indexOf(0) + 1;
  at = body.indexOf(0, at) + 1;
  at += 2 + 2 * body.readInt16BE(at);
  const count = body.readInt16BE(at);
  at += 2;
  const values: (string | null)[] = [];
  for (let i = 0; i < count; i++) {
    const bytes = body.readInt32BE(at);
    at += 4;
    values.push(bytes < 0 ? null : body.toString("utf8", at, at + bytes));
    at += Math.max(0, bytes);
  }
  return values;
}

/** The nth text of a message's body that begins with texts. */
export function textAt(body: Buffer, n: number): string {
  return body.toString("utf8").split("\0", n + 1)[n] ?? "";
}
