import type { FetchedTraceAnswer, RepeatAnswer, SpanAnswer } from "@apm-daemon/protocol";
import { FINGERPRINT_KEY } from "@apm-daemon/protocol";
import type { Paint } from "../terminal/paint.ts";
import { shownCount, shownMs } from "../terminal/quantities.ts";
import { safeText } from "../terminal/safe-text.ts";
import { cutText } from "../terminal/text-width.ts";

/** What was called often below one span, two lines each. */
export function repeatLines(trace: FetchedTraceAnswer, columns: number, paint: Paint): string[] {
  return trace.roots.flatMap(({ action, repeats = [] }) =>
    repeats.flatMap((repeat) => {
      const parent = trace.spans.find(({ spanId }) => spanId === repeat.parentSpanId)?.name ?? action;
      const replacement = repeat.statement === "" ? "one command" : "one statement (IN, a join)";
      const cost = `, ${shownMs(repeat.totalTimeMs)}; ${replacement} could do`;
      return [
        paint(
          "yellow",
          cutText(`${shownCount(repeat.calls)} × ${safeText(textOf(repeat, trace.spans))}`, columns),
        ),
        `  under ${cutText(safeText(parent), columns - cost.length - 8)}${cost}`,
      ];
    }),
  );
}

/** The statement of one of these calls, if it came; else its short name. */
function textOf(
  { statement, parentSpanId, operation, system }: RepeatAnswer,
  spans: readonly SpanAnswer[],
): string {
  const call = spans.find(
    (span) => span.parentSpanId === parentSpanId && span.attributes[FINGERPRINT_KEY] === statement,
  );
  const text = call?.attributes["db.query.text"];
  return typeof text === "string" ? text.replace(/\s+/g, " ") : `${operation} (${system})`;
}
