import type { SeededRandom } from "./random.ts";

/** Sequence, base and count of a SPANS payload; what follows are entries (protocol/src/span-frame.ts). */
const HEAD_BYTES = 20;
const VALUE_BYTES: readonly number[] = [2, 4, 8, 1, 4];

/** Cuts the entries of a well-formed SPANS payload apart, the head first; what is not understood is one piece, the last. */
export function splitEntries(payload: Buffer): Buffer[] {
  const pieces = [payload.subarray(0, HEAD_BYTES)];
  const slotTypes: number[][] = [];
  let at = HEAD_BYTES;
  try {
    while (at < payload.length) {
      const end = endOfEntry(payload, at, slotTypes);
      if (end > payload.length) break;
      pieces.push(payload.subarray(at, end));
      at = end;
    }
  } catch {
    // A number reaches beyond the payload.
  }
  return at < payload.length ? [...pieces, payload.subarray(at)] : pieces;
}

/** Changes which entries there are and in which order: definitions that come again, late or never. */
export function mutateEntries(payload: Buffer, random: SeededRandom): Buffer {
  const [head, ...entries] = splitEntries(payload);
  for (let left = random.skewed(4); left > 0 && entries.length > 0; left--) {
    const at = random.below(entries.length);
    const entry = entries[at] as Buffer;
    const to = random.below(entries.length + 1);
    if (random.chance(0.3)) entries.splice(at, 1);
    else if (random.chance(0.03))
      entries.splice(to, 0, ...Array.from({ length: random.skewed(3_000) }, () => entry));
    else if (random.chance(0.5)) entries.splice(to, 0, entry);
    else entries[at] = withOtherByte(entry, random);
  }
  const mutated = Buffer.concat([head as Buffer, ...entries]);
  // Mostly with the right number of spans, so that what is behind this check is reached.
  if (mutated.length >= HEAD_BYTES && random.chance(0.8))
    mutated.writeUInt32LE(entries.filter((entry) => (entry[0] ?? 0) >= 0x80).length, 16);
  return mutated;
}

function withOtherByte(entry: Buffer, random: SeededRandom): Buffer {
  const changed = Buffer.from(entry);
  // The first bytes are tag, kind and numbers of tables: most of the meaning is there.
  const at = random.below(random.chance(0.6) ? Math.min(6, changed.length) : changed.length);
  changed[at] = random.chance(0.5) ? (changed[at] as number) ^ (1 << random.below(8)) : random.below(256);
  return changed;
}

function endOfEntry(payload: Buffer, start: number, slotTypes: number[][]): number {
  const tag = payload.readUInt8(start);
  const at = start + 1;
  if (tag === 0x01) return at + 2 + payload.readUInt16LE(at);
  if (tag === 0x03) return at + 24;
  if (tag === 0x02) {
    const slots = payload.readUInt8(at + 3);
    slotTypes.push(Array.from({ length: slots }, (_, i) => payload.readUInt8(at + 6 + 3 * i)));
    return at + 4 + 3 * slots;
  }
  if (tag < 0x80) return payload.length + 1;
  return endOfSpan(payload, tag, at, slotTypes[payload.readUInt16LE(at)] ?? []);
}

function endOfSpan(payload: Buffer, tag: number, start: number, types: readonly number[]): number {
  const isLocalRoot = (tag & 0x01) !== 0;
  const hasParentId = (tag & 0x08) !== 0 && (tag & 0x04) === 0;
  const times = (tag & 0x20) === 0 ? 8 : 16;
  const maskAt = start + 4 + (isLocalRoot ? 0 : 8) + (hasParentId ? 8 : 0) + times;
  let at = maskAt + ((types.length + 8) >> 3);
  const isChanged = (bit: number): boolean =>
    ((payload.readUInt8(maskAt + (bit >> 3)) >> (bit & 7)) & 1) === 1;
  if (isChanged(0)) at += 2;
  types.forEach((type, i) => {
    if (!isChanged(i + 1)) return;
    if (type === 0 && payload.readUInt16LE(at) === 0xffff) at += 2 + payload.readUInt16LE(at + 2);
    if (type === 4) at += payload.readUInt32LE(at);
    at += VALUE_BYTES[type] ?? 0;
  });
  return (tag & 0x40) === 0 ? at : at + 4 + payload.readUInt32LE(at);
}
