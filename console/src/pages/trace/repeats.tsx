import type { JSX } from "preact";
import { changedLink } from "../../app/location.ts";
import type { RepeatedCall, TraceAnswer } from "../../data/answers.ts";
import { t } from "../../i18n/translate.ts";
import { duration, text } from "../../ui/number-text.ts";
import "../../i18n/en/trace.ts";

/** The attribute by which spans tell their statement. */
const FINGERPRINT_KEY = "apm.statement.fingerprint";

/** What was called often below one span, a line each, with what would spare most of it. */
export function Repeats({ trace }: { trace: TraceAnswer }): JSX.Element | null {
  const rows = trace.roots.flatMap((root) => (root.repeats ?? []).map((repeat) => ({ repeat, root })));
  if (rows.length === 0) return null;
  return (
    <ul class="repeats">
      {rows.map(({ repeat, root }) => {
        const parent = trace.spans.find(({ spanId }) => spanId === repeat.parentSpanId);
        const key = repeat.statement === "" ? "trace.repeatedCommand" : "trace.repeatedStatement";
        return (
          <li key={`${repeat.parentSpanId} ${repeat.statement} ${repeat.operation}`}>
            <a class="mono" href={changedLink({ sel: repeat.parentSpanId })}>
              {shownText(repeat, trace)}
            </a>{" "}
            {t(key, {
              count: repeat.calls,
              parent: parent?.name ?? root.action,
              time: text(duration(repeat.totalTimeMs)),
            })}
          </li>
        );
      })}
    </ul>
  );
}

/** The statement of one of these calls, if it came; else its short name. */
function shownText(
  { statement, parentSpanId, operation, system }: RepeatedCall,
  { spans }: TraceAnswer,
): string {
  const call = spans.find(
    (span) => span.parentSpanId === parentSpanId && span.attributes[FINGERPRINT_KEY] === statement,
  );
  const query = call?.attributes["db.query.text"];
  return typeof query === "string" ? query : `${operation} (${system})`;
}
