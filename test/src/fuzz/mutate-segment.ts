import { readSegment } from "../../../daemon/dist/journal/read-segment.js";
import { MarkedSegment } from "../../../daemon/dist/journal/segment.js";
import { mutateBytes } from "./mutate-bytes.ts";
import type { SeededRandom } from "./random.ts";

/** A journal segment that went wrong: anywhere, or inside one record with its length and checksum right. */
export function mutateSegment(segment: Buffer, random: SeededRandom, other: Buffer): Buffer {
  if (random.chance(0.6)) return mutateBytes(segment, random, other);
  const records: ((format: MarkedSegment, offset: number, isChosen: boolean) => Buffer)[] = [];
  const mutated = (bytes: Buffer, isChosen: boolean): Buffer =>
    isChosen ? mutateBytes(bytes, random, other) : bytes;
  readSegment(segment, (record) => {
    if (record.type === "instance")
      records.push((format, offset, isChosen) => {
        const json = mutated(Buffer.from(record.json), isChosen).toString("utf8");
        return format.encodeInstanceRecord(offset, record.reference, json);
      });
    else
      records.push((format, offset, isChosen) => {
        const { reference, receivedUnixMs, messageType } = record;
        const payload = mutated(record.payload, isChosen);
        const prefix = format.encodeFramePrefix(offset, reference, receivedUnixMs, messageType, payload);
        return Buffer.concat([prefix, payload]);
      });
  });
  const chosen = random.below(Math.max(1, records.length));
  const format = new MarkedSegment(1 + random.below(0xffff_fffe));
  let bytes = format.encodeHeader(4_096);
  records.forEach((encode, i) => {
    bytes = Buffer.concat([bytes, encode(format, bytes.length, i === chosen)]);
  });
  return bytes;
}
