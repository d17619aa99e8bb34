import * as z from "zod";

/** One key of a program's configuration, read off its schema. */
export interface ConfigKey {
  /** Dotted path in the file; `<name>` stands for a part that the user chooses. */
  readonly path: string;
  readonly kind: "integer" | "number" | "boolean" | "text" | "list";
  readonly sentence: string;
  /** The schema's default; undefined where there is none. */
  readonly standard: unknown;
  /** A value to show where there is no default. */
  readonly example: unknown;
  /** What a value may be, in words: "a whole number from 1 to 600000". */
  readonly expected: string;
}

/** A table of the file, e.g. `[journal]`. */
export interface ConfigSection {
  readonly path: string;
  readonly sentence: string;
}

export interface ConfigLayout {
  readonly keys: readonly ConfigKey[];
  readonly sections: readonly ConfigSection[];
}

/** The part of JSON Schema that z.toJSONSchema produces for a configuration. */
interface SchemaNode {
  type?: string;
  description?: string;
  default?: unknown;
  examples?: unknown[];
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  properties?: Record<string, SchemaNode>;
  additionalProperties?: SchemaNode | boolean;
}

/** All keys and sections of a schema, in its order. */
export function configLayout(schema: z.ZodType): ConfigLayout {
  const layout = { keys: [] as ConfigKey[], sections: [] as ConfigSection[] };
  collect(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as SchemaNode, "", layout);
  return layout;
}

/** Whether a key's path as written by a user is the one that `pattern` describes. */
export function pathMatches(pattern: string, path: readonly string[]): boolean {
  const parts = pattern.split(".");
  return parts.length === path.length && parts.every((part, i) => part === "<name>" || part === path[i]);
}

function collect(
  node: SchemaNode,
  path: string,
  layout: { keys: ConfigKey[]; sections: ConfigSection[] },
): void {
  const below = (name: string): string => (path === "" ? name : `${path}.${name}`);
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    if (child.type === "object") {
      layout.sections.push({ path: below(name), sentence: child.description ?? "" });
      collect(child, below(name), layout);
    } else {
      layout.keys.push(configKey(below(name), child));
    }
  }
  if (typeof node.additionalProperties === "object")
    collect(node.additionalProperties, below("<name>"), layout);
}

function configKey(path: string, node: SchemaNode): ConfigKey {
  return {
    path,
    kind: kindOf(node),
    sentence: node.description ?? "",
    standard: node.default,
    example: node.examples?.[0],
    expected: expectedOf(node),
  };
}

function kindOf(node: SchemaNode): ConfigKey["kind"] {
  if (node.type === "integer" || node.type === "number" || node.type === "boolean") return node.type;
  return node.type === "array" ? "list" : "text";
}

function expectedOf(node: SchemaNode): string {
  if (node.enum) return `one of ${node.enum.map((value) => JSON.stringify(value)).join(", ")}`;
  if (node.type === "boolean") return "true or false";
  if (node.type === "array") return "a list";
  if (node.type !== "integer" && node.type !== "number") return `text${lengthOf(node)}`;
  return `a ${node.type === "integer" ? "whole " : ""}number${rangeOf(node)}`;
}

function lengthOf({ minLength, maxLength }: SchemaNode): string {
  if (maxLength !== undefined) return ` of ${minLength ?? 0} to ${maxLength} characters`;
  return minLength ? " that is not empty" : "";
}

function rangeOf(node: SchemaNode): string {
  // zod gives every integer JavaScript's own bounds; these tell a reader nothing.
  const min = node.minimum === Number.MIN_SAFE_INTEGER ? undefined : node.minimum;
  const max = node.maximum === Number.MAX_SAFE_INTEGER ? undefined : node.maximum;
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  if (min !== undefined) return ` of at least ${min}`;
  return max === undefined ? "" : ` of at most ${max}`;
}
