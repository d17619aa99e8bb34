import type { ApmSpan } from "./span.ts";

/** Where spans go when they end. Reads the span before it returns and keeps no reference. */
export interface SpanSink {
  /** `endMs` is monotonic. Never throws. */
  add(span: ApmSpan, endMs: number): void;
  /** True when a call below a request is not to become a span now; it is counted then. */
  skipsCall(): boolean;
}
