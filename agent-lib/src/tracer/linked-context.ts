import { type Context, createContextKey } from "@opentelemetry/api";

/** The key under which @opentelemetry/api keeps the active span: context keys are global symbols made of their text. */
export const SPAN_KEY: symbol = createContextKey("OpenTelemetry Context Key SPAN");
/** The key that OpenTelemetry's exporters and instrumentations set to work unobserved. */
const SUPPRESS_TRACING_KEY = createContextKey("OpenTelemetry SDK Context Key SUPPRESS_TRACING");

/** A context with one more value: a link instead of the copied Map of OpenTelemetry's own. */
export class LinkedContext implements Context {
  readonly #parent: Context;
  readonly #key: symbol;
  readonly #value: unknown;

  constructor(parent: Context, key: symbol, value: unknown) {
    this.#parent = parent;
    this.#key = key;
    this.#value = value;
  }

  getValue(key: symbol): unknown {
    return key === this.#key ? this.#value : this.#parent.getValue(key);
  }

  setValue(key: symbol, value: unknown): Context {
    return new LinkedContext(this, key, value);
  }

  deleteValue(key: symbol): Context {
    return new LinkedContext(this, key, undefined);
  }
}

export function isTracingSuppressed(context: Context): boolean {
  return context.getValue(SUPPRESS_TRACING_KEY) === true;
}
