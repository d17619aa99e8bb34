import type { SeededRandom } from "./random.ts";

/** What programs compare with and overflow at. */
const INTERESTING = [
  0, 1, 2, 4, 5, 8, 16, 127, 128, 255, 256, 1_023, 4_096, 32_767, 32_768, 65_534, 65_535,
] as const;
const INTERESTING_32 = [
  65_536, 1_048_575, 1_048_576, 1_048_577, 2_147_483_647, 2_147_483_648, 4_294_967_295,
] as const;
const INTERESTING_F64 = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  -1,
  2 ** 53,
  2 ** 53 - 1,
  1e308,
  -0,
  5e-324,
] as const;
/** Overlong, cut off, a surrogate, beyond the last code point, a stray continuation, a byte order mark, NUL. */
const BROKEN_UTF8 = ["c080", "e282", "eda080", "f4908080", "80", "efbbbf", "00", "ff", "c3"] as const;

/** Longest result: one frame may be this large, and a little more to be too large. */
const MAX_BYTES = 1_050_000;

type Mutation = (bytes: Buffer, random: SeededRandom, other: Buffer) => Buffer;

const MUTATIONS: readonly Mutation[] = [
  flipBits,
  flipBits,
  setBytes,
  setBytes,
  setInteger,
  setInteger,
  setInteger,
  setDouble,
  truncate,
  extend,
  remove,
  repeat,
  repeat,
  splice,
  breakText,
  nestJson,
];

/** One to eight changes, one after the other. The input stays as it is. */
export function mutateBytes(bytes: Buffer, random: SeededRandom, other: Buffer): Buffer {
  let mutated: Buffer = Buffer.from(bytes);
  for (let left = random.skewed(8); left > 0; left--) {
    mutated = random.pick(MUTATIONS)(mutated, random, other);
    if (mutated.length > MAX_BYTES) mutated = mutated.subarray(0, MAX_BYTES);
  }
  return mutated;
}

function flipBits(bytes: Buffer, random: SeededRandom): Buffer {
  if (bytes.length === 0) return bytes;
  for (let left = random.skewed(8); left > 0; left--) {
    const at = random.below(bytes.length);
    bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
  }
  return bytes;
}

function setBytes(bytes: Buffer, random: SeededRandom): Buffer {
  if (bytes.length === 0) return bytes;
  const from = random.below(bytes.length);
  return bytes.fill(random.below(256), from, Math.min(bytes.length, from + random.skewed(32)));
}

/** Length and count fields have 1, 2, 4 or 8 bytes and lie anywhere. */
function setInteger(bytes: Buffer, random: SeededRandom): Buffer {
  const width = random.pick([1, 2, 2, 4, 4, 8]);
  if (bytes.length < width) return bytes;
  const at = random.below(bytes.length - width + 1);
  const wanted = random.chance(0.4)
    ? bytes.length - at - width + random.below(5) - 2
    : random.pick(INTERESTING);
  const value = random.chance(0.3) ? random.pick(INTERESTING_32) : Math.max(0, wanted);
  if (width === 8) bytes.writeBigUInt64LE(BigInt(value) << BigInt(random.pick([0, 0, 21, 32])), at);
  else bytes.writeUIntLE(value % 2 ** (width * 8), at, width);
  return bytes;
}

function setDouble(bytes: Buffer, random: SeededRandom): Buffer {
  if (bytes.length >= 8) bytes.writeDoubleLE(random.pick(INTERESTING_F64), random.below(bytes.length - 7));
  return bytes;
}

function truncate(bytes: Buffer, random: SeededRandom): Buffer {
  return bytes.subarray(0, random.below(bytes.length + 1));
}

function extend(bytes: Buffer, random: SeededRandom): Buffer {
  return Buffer.concat([bytes, random.bytes(random.skewed(512))]);
}

function remove(bytes: Buffer, random: SeededRandom): Buffer {
  const from = random.below(bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + random.skewed(64))]);
}

/** A piece once more, or very often: definitions that come again, tables that grow. */
function repeat(bytes: Buffer, random: SeededRandom): Buffer {
  const from = random.below(bytes.length + 1);
  const piece = bytes.subarray(from, from + random.skewed(64));
  const times = random.chance(0.02) ? random.skewed(20_000) : random.skewed(16);
  return Buffer.concat([
    bytes.subarray(0, from),
    ...Array.from({ length: times }, () => piece),
    bytes.subarray(from),
  ]);
}

function splice(bytes: Buffer, random: SeededRandom, other: Buffer): Buffer {
  const from = random.below(other.length + 1);
  return Buffer.concat([
    bytes.subarray(0, random.below(bytes.length + 1)),
    other.subarray(from, from + random.skewed(Math.max(2, other.length))),
  ]);
}

function breakText(bytes: Buffer, random: SeededRandom): Buffer {
  const broken = Buffer.from(random.pick(BROKEN_UTF8), "hex");
  if (bytes.length >= broken.length) broken.copy(bytes, random.below(bytes.length - broken.length + 1));
  return bytes;
}

/** Brackets where JSON may be. */
function nestJson(bytes: Buffer, random: SeededRandom): Buffer {
  const at = random.below(bytes.length + 1);
  const depth = random.chance(0.02) ? random.skewed(200_000) : random.skewed(64);
  const open = random.pick(["[", '{"a":']);
  const close = open === "[" ? "]" : "}";
  const nested = open.repeat(depth) + (random.chance(0.5) ? `1${close.repeat(depth)}` : "");
  return Buffer.concat([bytes.subarray(0, at), Buffer.from(nested), bytes.subarray(at)]);
}
