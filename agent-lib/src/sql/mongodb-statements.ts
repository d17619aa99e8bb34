/**
 * What is recorded of a command to MongoDB: its name, its collection, and the shape of what it asks for, as in
 * `find {filter: {age: {$gt: ?}}}`. Every value is "?"; documents to insert are not looked at. A field's name is shown
 * when it looks like one that a programmer wrote: names made of data (ids, addresses, dates) become "?", too.
 *
 * The walk is bounded in depth and in names. What cannot be read for sure is replaced as a whole.
 */
import { MAX_STATEMENT_CHARS } from "@apm-daemon/protocol";
import { truncate } from "../tracer/truncate.ts";
import { type ObfuscatedStatement, UNREADABLE_STATEMENT } from "./obfuscate.ts";
import type { SqlMode } from "./statement-cache.ts";

type Command = Record<string, unknown>;

const MAX_DEPTH = 8;
const MAX_KEYS = 100;
const MAX_SHAPES_OF_LIST = 8;
const MAX_VALUE_CHARS = 64;

/** Commands whose first value is the name of a collection; of others it may be anything. */
const NAMES_COLLECTION = new Set([
  ..."find insert update delete aggregate findAndModify findandmodify distinct count killCursors mapReduce".split(
    " ",
  ),
  ..."create drop createIndexes dropIndexes listIndexes collMod collStats validate".split(" "),
]);
/** The parts of a command that say what it looks for and changes, in the order in which they are shown. */
const SHOWN_PARTS = ["filter", "query", "q", "pipeline", "sort", "update", "u", "updates", "deletes"];
const COMMAND_NAME = /^[A-Za-z_]{1,40}$/;
const FIELD_NAME = /^\$?[\p{L}_][\p{L}\p{N}_.$-]{0,79}$/u;
/** Four digits in a row, or many letters and digits without a word's look: an id, a date, a number of a customer. */
const DATA_IN_NAME = /\p{N}{4}|(?:^|\.)(?=[^.]*\p{N})[^.]{20,}|(?:^|\.)[^.]{41,}/u;

export class MongodbStatements {
  mode: SqlMode = "obfuscated";

  /** Of a command as the driver sends it. Never throws. */
  of(command: Command): ObfuscatedStatement {
    try {
      return this.#read(command);
    } catch {
      return UNREADABLE_STATEMENT;
    }
  }

  #read(command: Command): ObfuscatedStatement {
    const operation = firstKey(command);
    if (!COMMAND_NAME.test(operation)) return { text: "", operation: "", table: "" };
    const table = collectionOf(operation, command);
    if (this.mode === "off") return { text: "", operation, table };
    const parts = new ShapeWriter(this.mode === "raw").parts(command);
    const text = parts === "" ? operation : `${operation} ${parts}`;
    return { text: truncate(text, MAX_STATEMENT_CHARS), operation, table };
  }
}

function firstKey(command: Command): string {
  for (const key in command) return key;
  return "";
}

function collectionOf(operation: string, command: Command): string {
  const name =
    operation === "getMore"
      ? command["collection"]
      : NAMES_COLLECTION.has(operation)
        ? command[operation]
        : undefined;
  return typeof name === "string" ? name : "";
}

class ShapeWriter {
  readonly #isRaw: boolean;
  #keysLeft = MAX_KEYS;

  constructor(isRaw: boolean) {
    this.#isRaw = isRaw;
  }

  /** "" when the command has none of the parts that are shown. */
  parts(command: Command): string {
    const shown: string[] = [];
    for (const part of SHOWN_PARTS) {
      const value = command[part];
      if (typeof value !== "object" || value === null) continue;
      shown.push(`${part}: ${this.#part(part, value)}`);
    }
    return shown.length === 0 ? "" : `{${shown.join(", ")}}`;
  }

  #part(part: string, value: object): string {
    // A list of statements of one kind: the first tells the shape, the others mostly differ in values.
    if ((part === "updates" || part === "deletes") && Array.isArray(value))
      return `[${this.parts(value[0] as Command)}${value.length > 1 ? ", …" : ""}]`;
    // A document that replaces another is data, as those to insert are.
    if (
      (part === "u" || part === "update") &&
      !Array.isArray(value) &&
      !firstKey(value as Command).startsWith("$")
    )
      return this.#isRaw ? this.#value(value, 0) : "?";
    return this.#value(value, 0);
  }

  #value(value: unknown, depth: number): string {
    if (typeof value !== "object" || value === null || value instanceof Date) return this.#scalar(value);
    if (depth >= MAX_DEPTH || this.#keysLeft <= 0) return "…";
    if (Array.isArray(value)) return this.#list(value, depth);
    // The driver makes a Map of what an app sorts by.
    if (value instanceof Map && value.size <= MAX_KEYS) return this.#map(Object.fromEntries(value), depth);
    return isPlain(value) ? this.#map(value as Command, depth) : this.#scalar(value);
  }

  #scalar(value: unknown): string {
    if (!this.#isRaw) return "?";
    if (typeof value === "string") return JSON.stringify(truncate(value, MAX_VALUE_CHARS));
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? "?" : value.toISOString();
    if (typeof value === "object" && value !== null) {
      const { _bsontype: type, toHexString } = value as { _bsontype?: unknown; toHexString?: () => unknown };
      return type === "ObjectId" && typeof toHexString === "function"
        ? truncate(String(toHexString.call(value)), MAX_VALUE_CHARS)
        : "?";
    }
    return typeof value === "function" || typeof value === "symbol" ? "?" : String(value);
  }

  /** Lists of values shrink to one "?"; of lists of maps each shape is shown once. */
  #list(list: readonly unknown[], depth: number): string {
    const shapes = new Set<string>();
    for (let i = 0; i < list.length; i++) {
      if (shapes.size >= MAX_SHAPES_OF_LIST || i >= MAX_KEYS || this.#keysLeft <= 0) {
        shapes.add("…");
        break;
      }
      shapes.add(this.#value(list[i], depth + 1));
    }
    return `[${[...shapes].join(", ")}]`;
  }

  #map(map: Command, depth: number): string {
    let text = "";
    for (const key of Object.keys(map)) {
      if (--this.#keysLeft < 0) return `{${text}${text === "" ? "" : ", "}…}`;
      const name = this.#isRaw ? truncate(key, MAX_VALUE_CHARS) : nameOf(key);
      text += `${text === "" ? "" : ", "}${name}: ${this.#value(map[key], depth + 1)}`;
    }
    return `{${text}}`;
  }
}

function nameOf(key: string): string {
  return FIELD_NAME.test(key) && !DATA_IN_NAME.test(key) ? key : "?";
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
