import { type AttributeValue, MAX_ATTRIBUTE_CHARS, MAX_ATTRIBUTES_PER_SPAN } from "@apm-daemon/protocol";
import type { Attributes } from "@opentelemetry/api";
import type { StatementCache } from "../sql/statement-cache.ts";
import { stripQuery, stripUrl } from "../url-parts.ts";
import { type KeyPolicies, REDACTED, type Treatment } from "./key-policy.ts";
import type { ApmSpan } from "./span.ts";
import { truncate } from "./truncate.ts";

const MAX_ARRAY_VALUES = 128;

/** Applies limits, redaction and obfuscation to attributes that come through the public API. */
export class SpanRules {
  readonly #keys: KeyPolicies;
  readonly #statements: StatementCache;

  constructor(keys: KeyPolicies, statements: StatementCache) {
    this.#keys = keys;
    this.#statements = statements;
  }

  setAttribute(span: ApmSpan, rawKey: string, rawValue: unknown): void {
    if (typeof rawKey !== "string" || rawKey === "") return;
    const { key, treatment } = this.#keys.of(rawKey);
    const value = this.#treat(treatment, rawValue);
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

  /** What to record; undefined for nothing. */
  #treat(treatment: Treatment, value: unknown): AttributeValue | undefined {
    if (treatment === "drop") return undefined;
    if (treatment === "redact") return REDACTED;
    if (typeof value === "string") return this.#treatText(treatment, value);
    if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
    if (typeof value === "boolean") return value;
    if (!Array.isArray(value)) return undefined;
    return value.slice(0, MAX_ARRAY_VALUES).map((item) => this.#treatItem(treatment, item));
  }

  #treatText(treatment: Treatment, text: string): string | undefined {
    if (treatment === "statement") return this.#statements.of(text).text || undefined;
    const safe = treatment === "url" ? stripUrl(text) : treatment === "path" ? stripQuery(text) : text;
    return truncate(safe, MAX_ATTRIBUTE_CHARS);
  }

  #treatItem(treatment: Treatment, item: unknown): string | number | boolean | null {
    if (typeof item === "string") return this.#treatText(treatment, item) ?? null;
    if (typeof item === "boolean") return item;
    return typeof item === "number" && Number.isFinite(item) ? item : null;
  }
}
