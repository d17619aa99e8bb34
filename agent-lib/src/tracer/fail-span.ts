import { describeException, exceptionAttributes } from "./exception.ts";
import type { ApmSpan } from "./span.ts";

/** Marks a span as failed by what was thrown, and records it, unless an exception was recorded before. */
export function failSpan(span: ApmSpan, thrown: unknown): void {
  if (!span.isRecording()) return;
  const exception = describeException(thrown);
  span.hasError = true;
  span.put("error.type", exception.type);
  const hasException = span.extra?.events?.some((event) => event.name === "exception") ?? false;
  if (!hasException) span.addExceptionEvent(exceptionAttributes(exception));
}
