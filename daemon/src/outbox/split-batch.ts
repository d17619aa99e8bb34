/**
 * Halves of a batch that the collector refuses, until the row to blame is alone.
 *
 * Whatever is split again after a crash must have the identity that it had before, or rows would be stored twice. So a part's
 * identity follows from the whole's: its stream is a name-based UUID of stream and number of the whole, its number its place in
 * a binary tree: 2 and 3 are the halves of the whole, 2n and 2n + 1 those of part n. The same batch is always cut at the same
 * places; a change of the rule needs another RULE.
 */
import { createHash } from "node:crypto";
import type { Batch, BatchHeader, BatchIdentity, SecondsTable } from "@apm-daemon/protocol";

const RULE = "batch-part.v1";
/** The name space of RFC 9562 for names of no other kind (OID). */
const NAME_SPACE = Buffer.from("6ba7b8129dad11d180b400c04fd430c8", "hex");
/** Deeper than any batch has rows; two to this power is still a safe number. */
const MAX_PART_NUMBER = 2 ** 50;

/** What each part repeats; all else is rows, or stands for itself. */
const REPEATED: ReadonlySet<string> = new Set([
  "version",
  "stream",
  "number",
  "createdUnixMs",
  "host",
  "journal",
  "isContinued",
  "partOf",
]);

/** The smallest thing that is kept together: an entry of a list, a host second, or a field as a whole. */
interface Unit {
  field: string;
  /** -1 for the field as a whole. */
  index: number;
}

/** The stream of all parts of a batch. */
export function streamOfParts({ stream, number }: BatchIdentity): string {
  const hash = createHash("sha1").update(NAME_SPACE).update(`${RULE}/${stream}/${number}`).digest();
  hash[6] = ((hash[6] as number) & 0x0f) | 0x50;
  hash[8] = ((hash[8] as number) & 0x3f) | 0x80;
  return hash.toString("hex", 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** The batch that was split into a part and its sibling; null when this one is whole. */
export function parentOf({ stream, number, partOf }: BatchHeader): BatchIdentity | null {
  if (partOf === undefined) return null;
  return number <= 3 ? partOf : { stream, number: number >> 1 };
}

/** Both halves of a batch, or null when it has one row, or none. */
export function splitBatch(batch: Batch): [Batch, Batch] | null {
  const { header } = batch;
  const units = unitsOf(header);
  const place = header.partOf === undefined ? 1 : header.number;
  if (units.length < 2 || place > MAX_PART_NUMBER) return null;
  const partOf = header.partOf ?? { stream: header.stream, number: header.number };
  const middle = Math.ceil(units.length / 2);
  const half = (number: number, kept: readonly Unit[]): Batch => {
    const part = { ...withOnly(header, kept), stream: streamOfParts(partOf), number, partOf };
    const frames = kept.flatMap(({ field, index }) =>
      field === "traces" ? (batch.frames[index] ?? []) : [],
    );
    return { header: part, frames };
  };
  return [half(2 * place, units.slice(0, middle)), half(2 * place + 1, units.slice(middle))];
}

function unitsOf(header: BatchHeader): Unit[] {
  return Object.entries(header).flatMap(([field, value]: [string, unknown]): Unit[] => {
    if (REPEATED.has(field) || value === null || value === undefined) return [];
    if (field === "hostSeconds") return (value as SecondsTable).tsSec.map((_, index) => ({ field, index }));
    if (Array.isArray(value)) return value.map((_, index) => ({ field, index }));
    return [{ field, index: -1 }];
  });
}

/** Lists that lost all entries are empty, what may be null is null, and a field that only newer daemons know is left out. */
function withOnly(header: BatchHeader, kept: readonly Unit[]): BatchHeader {
  const part: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(header) as [string, unknown][]) {
    const units = kept.filter((unit) => unit.field === field);
    if (value === null || REPEATED.has(field) || units[0]?.index === -1) part[field] = value;
    else if (Array.isArray(value)) part[field] = units.map(({ index }) => value[index] as unknown);
    else if (field === "hostSeconds" && units.length > 0) part[field] = seconds(value as SecondsTable, units);
    else if (field === "hostSeconds" || field === "hostSnapshot") part[field] = null;
  }
  return part as unknown as BatchHeader;
}

function seconds({ tsSec, columns }: SecondsTable, kept: readonly Unit[]): SecondsTable {
  const pick = <T>(values: readonly T[]): T[] => kept.map(({ index }) => values[index] as T);
  const picked = Object.entries(columns).map(([name, values]) => [name, pick(values)] as const);
  return { tsSec: pick(tsSec), columns: Object.fromEntries(picked) };
}
