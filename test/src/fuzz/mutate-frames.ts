import { MAX_MESSAGE_BYTES, MESSAGE_HEADER_BYTES, MessageType } from "@apm-daemon/protocol";
import { mutateBytes } from "./mutate-bytes.ts";
import { mutateJson } from "./mutate-json.ts";
import type { SeededRandom } from "./random.ts";
import { mutateEntries } from "./span-entries.ts";

/** Bytes before the JSON of a message's payload; SPANS and ACK have none. */
const JSON_STARTS: Readonly<Record<number, number>> = {
  [MessageType.hello]: 2,
  [MessageType.welcome]: 0,
  [MessageType.refuse]: 0,
  [MessageType.runtime]: 8,
  [MessageType.gap]: 8,
  [MessageType.settings]: 0,
  [MessageType.bye]: 8,
};

/** A message whose length field is right, whatever is in it. */
export function wrap(type: number, payload: Uint8Array): Buffer {
  const message = Buffer.allocUnsafe(MESSAGE_HEADER_BYTES + payload.length);
  message.writeUInt32LE(payload.length + 1, 0);
  message[4] = type;
  message.set(payload, MESSAGE_HEADER_BYTES);
  return message;
}

/** The messages of a well-formed stream. */
export function cutMessages(stream: Buffer): { type: number; payload: Buffer }[] {
  const messages: { type: number; payload: Buffer }[] = [];
  for (let at = 0; at + MESSAGE_HEADER_BYTES <= stream.length; ) {
    const end = at + 4 + stream.readUInt32LE(at);
    messages.push({
      type: stream.readUInt8(at + 4),
      payload: stream.subarray(at + MESSAGE_HEADER_BYTES, end),
    });
    at = end;
  }
  return messages;
}

/** A stream of messages that went wrong: anywhere, or inside one message with all lengths around it right. */
export function mutateFrames(stream: Buffer, random: SeededRandom, other: Buffer): Buffer {
  if (random.chance(0.2)) return mutateBytes(stream, random, other);
  const messages = cutMessages(stream);
  const at = random.below(messages.length);
  return Buffer.concat(
    messages.map(({ type, payload }, i) => {
      if (i !== at) return wrap(type, payload);
      const wrongType = random.chance(0.02);
      return wrap(wrongType ? random.below(12) : type, mutatePayload(type, payload, random, other));
    }),
  );
}

/** One data frame that went wrong inside, with a given sequence number, so that a daemon takes it for new. */
export function mutateDataFrame(
  message: { type: number; payload: Buffer },
  sequence: number,
  random: SeededRandom,
  other: Buffer,
): Buffer {
  const mutated = mutatePayload(message.type, message.payload, random, other);
  const numbered = mutated.length >= 8 ? mutated : Buffer.concat([mutated, Buffer.alloc(8 - mutated.length)]);
  numbered.writeBigUInt64LE(BigInt(sequence), 0);
  return wrap(message.type, numbered.subarray(0, MAX_MESSAGE_BYTES - 1));
}

function mutatePayload(type: number, payload: Buffer, random: SeededRandom, other: Buffer): Buffer {
  const jsonAt = JSON_STARTS[type];
  if (jsonAt !== undefined && random.chance(0.6))
    return Buffer.concat([payload.subarray(0, jsonAt), mutateJson(payload.subarray(jsonAt), random)]);
  if (type === MessageType.spans && random.chance(0.5)) return mutateEntries(payload, random);
  return mutateBytes(payload, random, other);
}
