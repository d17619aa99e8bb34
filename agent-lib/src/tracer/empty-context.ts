import type { Context } from "@opentelemetry/api";
import { LinkedContext, SPAN_KEY } from "./linked-context.ts";
import { ApmSpan } from "./span.ts";

/**
 * What is active where nothing is. OpenTelemetry's own root context copies a Map for each value; here a span that becomes
 * active is its own context.
 */
class EmptyContext implements Context {
  getValue(): undefined {
    return undefined;
  }

  setValue(key: symbol, value: unknown): Context {
    return key === SPAN_KEY && value instanceof ApmSpan && value.base === this
      ? value
      : new LinkedContext(this, key, value);
  }

  deleteValue(): Context {
    return this;
  }
}

export const EMPTY_CONTEXT: Context = new EmptyContext();
