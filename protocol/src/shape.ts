/**
 * Shapes: spans of one kind carry the same attribute keys in the same order. A shape is the chain of (key, type) pairs
 * that a span's setAttribute calls walked, shared by all spans that walked it, like a hidden class. A frame describes a
 * shape once; its spans carry the shape's number and values only.
 */

import { MAX_ATTRIBUTES_PER_SPAN } from "./limits.ts";

/** Attribute values as OpenTelemetry's API allows them. */
export type AttributeValue =
  | string
  | number
  | boolean
  | readonly (string | number | boolean | null | undefined)[];

/** Wire type of a slot: 0 string, 1 32-bit integer, 2 double, 3 boolean, 4 JSON (arrays). */
export type SlotType = 0 | 1 | 2 | 3 | 4;

/** Distinct shapes of one encoder; more than this means that keys are made up at run time. */
export const MAX_SHAPES = 4_096;

export class Shape {
  readonly scope: string;
  /** OpenTelemetry's SpanKind: 0 internal, 1 server, 2 client, 3 producer, 4 consumer. */
  readonly kind: number;
  readonly parent: Shape | null;
  readonly key: string;
  readonly type: SlotType;
  readonly keys: readonly string[];
  readonly types: readonly SlotType[];
  /** The shape that most likely follows; lets setAttribute get by with one comparison. */
  expected: Shape | null = null;
  /** The agent's note: texts under `key` need no redaction, so setAttribute may store them without asking. */
  isPlain = false;

  // The encoder's notes, valid while `epoch` equals the epoch of its frame.
  epoch = 0;
  index = 0;
  lastName = "";
  readonly lastValues: AttributeValue[];
  /** How often a slot's text was new to its frame: at 64 the slot stops looking for repetitions. */
  readonly misses: Uint8Array;

  readonly #children = new Map<string, Shape>();
  readonly #tree: ShapeTree;

  constructor(
    tree: ShapeTree,
    scope: string,
    kind: number,
    parent: Shape | null,
    key: string,
    type: SlotType,
  ) {
    this.#tree = tree;
    this.scope = scope;
    this.kind = kind;
    this.parent = parent;
    this.key = key;
    this.type = type;
    this.keys = parent === null ? [] : [...parent.keys, key];
    this.types = parent === null ? [] : [...parent.types, type];
    this.lastValues = Array.from({ length: this.keys.length }, () => "");
    this.misses = new Uint8Array(this.keys.length);
  }

  /** The shape after one more attribute; null when there are MAX_SHAPES or MAX_ATTRIBUTES_PER_SPAN already. The key must not be in `keys`. */
  follow(key: string, type: SlotType): Shape | null {
    const expected = this.expected;
    if (expected !== null && expected.type === type && expected.key === key) return expected;
    return this.#followSlowly(key, type);
  }

  #followSlowly(key: string, type: SlotType): Shape | null {
    const id = `${type}${key}`;
    let next = this.#children.get(id) ?? null;
    if (next === null) {
      if (this.keys.length >= MAX_ATTRIBUTES_PER_SPAN || !this.#tree.countNew()) return null;
      next = new Shape(this.#tree, this.scope, this.kind, this, key, type);
      this.#children.set(id, next);
    }
    this.expected = next;
    return next;
  }
}

export class ShapeTree {
  readonly #roots = new Map<string, Shape>();
  #shapes = 0;

  /** The shape of a span without attributes. Roots are not counted: scopes and kinds are few. */
  root(scope: string, kind: number): Shape {
    const id = `${kind}${scope}`;
    let root = this.#roots.get(id);
    if (root === undefined) {
      root = new Shape(this, scope, kind, null, "", 0);
      this.#roots.set(id, root);
    }
    return root;
  }

  countNew(): boolean {
    if (this.#shapes >= MAX_SHAPES) return false;
    this.#shapes++;
    return true;
  }
}

/** True for what an attribute may hold: a text, number or boolean, or an array of these and nulls. */
export function isAttributeValue(value: unknown): value is AttributeValue {
  if (!Array.isArray(value)) return isScalar(value);
  return value.every((element) => element === null || isScalar(element));
}

function isScalar(value: unknown): boolean {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

export function slotTypeOf(value: AttributeValue): SlotType {
  if (typeof value === "string") return 0;
  if (typeof value === "number") return (value | 0) === value && !Object.is(value, -0) ? 1 : 2;
  return typeof value === "boolean" ? 3 : 4;
}
