import {
  type AttributeValue,
  type DecodedShape,
  FINGERPRINT_KEY,
  type SpanExtra,
  type SpanView,
} from "@apm-daemon/protocol";
import { type Operation, OperationTable } from "../aggregate/operation.ts";
import { isCall, SpanPlan } from "../aggregate/span-plan.ts";

/** Whether what is read back of the journal has the statements' texts, or their fingerprints alone. */
export type StatementTexts = "shown" | "hidden";

/**
 * Different calls in the traces of one batch: twice the spans that it may have, since spans that are not copied are looked at,
 * too. Calls beyond have no fingerprint, and are no repeats.
 */
const MAX_OPERATIONS = 200_000;

/** Everywhere that instrumentations of today and yesterday put a statement's text or its values. */
const TEXT_KEY = /^(?:db\.query\.text|db\.statement|db\.query\.parameter\..*|db\.operation\.parameter\..*)$/;

/** What copied spans say of their statements: the fingerprint, and the text if that may be seen where the copy goes. */
export class SpanStatements {
  readonly #texts: StatementTexts;
  readonly #plans = new WeakMap<DecodedShape, SpanPlan>();
  readonly #operations = new OperationTable(MAX_OPERATIONS);

  constructor(texts: StatementTexts) {
    this.#texts = texts;
  }

  /** What a call called, as it is counted; null for spans that are no calls. */
  operationOf({ shape, name }: SpanView): Operation | null {
    let plan = this.#plans.get(shape);
    if (plan === undefined) {
      plan = new SpanPlan(shape);
      this.#plans.set(shape, plan);
    }
    const { role } = plan;
    return isCall(role) ? this.#operations.find(plan, role, name) : null;
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
