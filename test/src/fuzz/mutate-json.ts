import type { SeededRandom } from "./random.ts";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const STRANGE_NUMBERS = [
  0,
  -0,
  -1,
  0.5,
  1e308,
  -1e308,
  2 ** 53,
  2 ** 53 - 1,
  4_294_967_295,
  4_294_967_296,
  65_536,
  1e-320,
];
const STRANGE_TEXTS = [
  "",
  "\u0000",
  "a\u0000b",
  "\ud800",
  "\udc00x",
  "\u202e",
  "\r\n\u2028",
  "__proto__",
  "constructor",
  "a-".repeat(600),
  "9".repeat(400),
  "x".repeat(5_000),
  "\ud83d\ude00".repeat(300),
  "'; DROP TABLE apps; --",
  "../../etc/passwd",
];
const STRANGE_KEYS = ["__proto__", "constructor", "toJSON", "length", "", "\u0000", "x".repeat(2_000), "0"];

/** One to four changes somewhere in a JSON text; text that is none comes back as it is. */
export function mutateJson(json: Buffer, random: SeededRandom): Buffer {
  let root: Json;
  try {
    root = JSON.parse(json.toString("utf8")) as Json;
  } catch {
    return json;
  }
  for (let left = random.skewed(4); left > 0; left--) root = mutateNode(root, random);
  return Buffer.from(JSON.stringify(root) ?? "null");
}

/** Walks down a random way and changes what lies at its end. */
function mutateNode(node: Json, random: SeededRandom): Json {
  if (typeof node !== "object" || node === null || random.chance(0.15)) return strange(node, random);
  if (Array.isArray(node)) return mutateArray(node, random);
  return mutateObject(node, random);
}

function mutateArray(items: Json[], random: SeededRandom): Json {
  if (items.length === 0) return [strange(null, random)];
  const at = random.below(items.length);
  const changed = [...items];
  const item = items[at] as Json;
  switch (random.below(12)) {
    case 0:
      changed.splice(at, 1);
      break;
    case 1:
      changed.push(...Array.from({ length: random.skewed(200) }, () => item));
      break;
    case 2:
      changed.reverse();
      break;
    case 3:
      changed.push(strange(null, random));
      break;
    default:
      changed[at] = mutateNode(item, random);
  }
  return changed;
}

function mutateObject(object: { [key: string]: Json }, random: SeededRandom): Json {
  const entries = Object.entries(object);
  const at = random.below(entries.length);
  const entry = entries[at];
  const choice = entry === undefined ? 0 : random.below(20);
  if (entry === undefined || choice === 0) entries.push([random.pick(STRANGE_KEYS), strange(null, random)]);
  else if (choice === 1) entries.splice(at, 1);
  else if (choice === 2) entries[at] = [random.pick(STRANGE_KEYS), entry[1]];
  else entries[at] = [entry[0], mutateNode(entry[1], random)];
  // Not fromEntries of a plain object: "__proto__" has to stay a key like any other.
  const changed = Object.create(null) as { [key: string]: Json };
  for (const [key, value] of entries) changed[key] = value;
  return changed;
}

function strange(node: Json, random: SeededRandom): Json {
  if (typeof node === "number" && random.chance(0.3))
    return node * random.pick([-1, 2, 1_000, 1e9]) + random.below(3);
  if (typeof node === "string" && random.chance(0.3)) return node + random.pick(STRANGE_TEXTS);
  switch (random.below(9)) {
    case 0:
      return null;
    case 1:
      return random.chance(0.5);
    case 2:
    case 3:
      return random.pick(STRANGE_NUMBERS);
    case 4:
    case 5:
      return random.pick(STRANGE_TEXTS);
    case 6:
      return {};
    case 7:
      return Array.from({ length: random.skewed(300) }, () => random.pick(STRANGE_NUMBERS));
    default:
      return nested(random.skewed(400));
  }
}

function nested(depth: number): Json {
  let node: Json = [];
  for (let i = 0; i < depth; i++) node = i % 2 === 0 ? { a: node } : [node];
  return node;
}
