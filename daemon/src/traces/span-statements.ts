import {
  type AttributeValue,
  type DecodedShape,
  FINGERPRINT_KEY,
  type SpanExtra,
  type SpanView,
} from "@apm-daemon/protocol";
import { fingerprintOf } from "../aggregate/fingerprint.ts";
import { SpanPlan } from "../aggregate/span-plan.ts";

/** Whether what is read back of the journal has the statements' texts, or their fingerprints alone. */
export type StatementTexts = "shown" | "hidden";

/** Everywhere that instrumentations of today and yesterday put a statement's text or its values. */
const TEXT_KEY = /^(?:db\.query\.text|db\.statement|db\.query\.parameter\..*|db\.operation\.parameter\..*)$/;

/** What copied spans say of their statements: the fingerprint, and the text if that may be seen where the copy goes. */
export class SpanStatements {
  readonly #texts: StatementTexts;
  readonly #plans = new WeakMap<DecodedShape, SpanPlan>();
  readonly #fingerprints = new Map<string, string>();

  constructor(texts: StatementTexts) {
    this.#texts = texts;
  }

  /** Of the statement of a call to a database; "" where there is none. */
  fingerprintOf({ shape }: SpanView): string {
    let plan = this.#plans.get(shape);
    if (plan === undefined) {
      plan = new SpanPlan(shape);
      this.#plans.set(shape, plan);
    }
    const { system, statement } = plan;
    if (statement === "") return "";
    const key = `${system}\n${statement}`;
    let fingerprint = this.#fingerprints.get(key);
    if (fingerprint === undefined) {
      fingerprint = fingerprintOf(system, statement);
      this.#fingerprints.set(key, fingerprint);
    }
    return fingerprint;
  }

  /** Whether an attribute is left out; a fingerprint is, because it is computed here and not believed. */
  isLeftOut(key: string): boolean {
    return key === FINGERPRINT_KEY || (this.#texts === "hidden" && TEXT_KEY.test(key));
  }

  /** What events, links and surplus attributes may show. */
  extraOf(extra: SpanExtra): SpanExtra {
    if (this.#texts === "shown") return extra;
    const { attributes, events, links, ...rest } = extra;
    return {
      ...rest,
      ...(attributes && { attributes: this.#allowed(attributes) }),
      ...(events && {
        events: events.map((event) => ({ ...event, attributes: this.#allowed(event.attributes) })),
      }),
      ...(links && {
        links: links.map((link) =>
          link.attributes ? { ...link, attributes: this.#allowed(link.attributes) } : link,
        ),
      }),
    };
  }

  #allowed(attributes: Readonly<Record<string, AttributeValue>>): Record<string, AttributeValue> {
    return Object.fromEntries(Object.entries(attributes).filter(([key]) => !this.isLeftOut(key)));
  }
}
