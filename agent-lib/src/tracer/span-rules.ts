import {
  type AttributeValue,
  MAX_ATTRIBUTE_CHARS,
  MAX_ATTRIBUTES_PER_SPAN,
  MAX_NAME_CHARS,
} from "@apm-daemon/protocol";
import type { Attributes } from "@opentelemetry/api";
import { callName, type Statements } from "../sql/statements.ts";
import { stripQuery, stripUrl, stripUrlsIn } from "../url-parts.ts";
import { type KeyPolicies, REDACTED, type Treatment } from "./key-policy.ts";
import type { ApmSpan } from "./span.ts";
import { truncate } from "./truncate.ts";

const MAX_ARRAY_VALUES = 128;

const STRIPPERS: Readonly<Partial<Record<Treatment, (text: string) => string>>> = {
  url: stripUrl,
  urls: stripUrlsIn,
  path: stripQuery,
};

/** Applies limits, redaction and obfuscation to attributes that come through the public API. */
export class SpanRules {
  readonly #keys: KeyPolicies;
  readonly #statements: Statements;

  constructor(keys: KeyPolicies, statements: Statements) {
    this.#keys = keys;
    this.#statements = statements;
  }

  setAttribute(span: ApmSpan, rawKey: string, rawValue: unknown): void {
    if (typeof rawKey !== "string" || rawKey === "") return;
    const { key, treatment } = this.#keys.of(rawKey);
    const system = treatment === "statement" ? systemOf(span) : "";
    if (treatment === "statement") this.#renameByStatement(span, system, rawValue);
    const value = this.#treat(treatment, rawValue, system);
    if (value === undefined) return;
    span.store(key, value);
    if (treatment === "plain" && span.shape.key === key) span.shape.isPlain = true;
  }

  /** For attributes of events and links. */
  treatAll(attributes: Attributes): Record<string, AttributeValue> {
    const treated: Record<string, AttributeValue> = {};
    for (const rawKey of Object.keys(attributes).slice(0, MAX_ATTRIBUTES_PER_SPAN)) {
      const { key, treatment } = this.#keys.of(rawKey);
      const value = this.#treat(treatment, attributes[rawKey]);
      if (value !== undefined) treated[key] = value;
    }
    return treated;
  }

  /** Some instrumentations name a span by its statement. */
  #renameByStatement(span: ApmSpan, system: string, statement: unknown): void {
    if (typeof statement !== "string" || this.#statements.mode === "raw") return;
    if (span.name === truncate(statement, MAX_NAME_CHARS))
      span.name = callName(this.#statements.of(system, statement), system || "query");
  }

  /** What to record; undefined for nothing. */
  #treat(treatment: Treatment, value: unknown, system: string = ""): AttributeValue | undefined {
    if (treatment === "drop") return undefined;
    if (treatment === "redact") return REDACTED;
    if (typeof value === "string") return this.#treatText(treatment, value, system);
    if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
    if (typeof value === "boolean") return value;
    if (!Array.isArray(value)) return undefined;
    return value.slice(0, MAX_ARRAY_VALUES).map((item) => this.#treatItem(treatment, item, system));
  }

  #treatText(treatment: Treatment, text: string, system: string): string | undefined {
    if (treatment === "statement") return this.#statements.of(system, text).text || undefined;
    const strip = STRIPPERS[treatment];
    return truncate(strip === undefined ? text : strip(text), MAX_ATTRIBUTE_CHARS);
  }

  #treatItem(treatment: Treatment, item: unknown, system: string): string | number | boolean | null {
    if (typeof item === "string") return this.#treatText(treatment, item, system) ?? null;
    if (typeof item === "boolean") return item;
    return typeof item === "number" && Number.isFinite(item) ? item : null;
  }
}

/** "" while the app has not said it. */
function systemOf({ shape, values }: ApmSpan): string {
  const system = values[shape.keys.indexOf("db.system.name")];
  return typeof system === "string" ? system : "";
}
