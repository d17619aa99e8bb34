import type { JSX } from "preact";
import type { TraceAnswer } from "../../data/answers.ts";
import { t } from "../../i18n/translate.ts";
import { causeName, confidenceText, evidenceText, nothingText, shareText } from "../../ui/verdict-text.ts";
import "../../i18n/en/verdict.ts";

/** Why the parts of a trace were slow: the causes with their evidence, strongest first, and how sure that is. */
export function VerdictBanner({ trace }: { trace: TraceAnswer }): JSX.Element | null {
  const judged = trace.roots.flatMap(({ verdict, ...root }) =>
    verdict === undefined ? [] : [{ verdict, root }],
  );
  if (judged.length === 0) return null;
  return (
    <>
      {judged.map(({ verdict, root }) => (
        <section
          key={root.rootSpanId}
          class={verdict.causes.length === 0 ? "verdict verdict-calm" : "verdict"}
          aria-label={t("verdict.title")}
        >
          <b>{trace.roots.length > 1 ? `${t("verdict.title")} (${root.app})` : t("verdict.title")}</b>
          <ol>
            {verdict.causes.map((cause) => (
              <li key={`${cause.kind} ${cause.target ?? ""}`}>
                <b>{causeName(cause)}</b>: {evidenceText(cause)}{" "}
                <span class="note">{shareText(cause, root.durationMs)}</span>
              </li>
            ))}
            {verdict.causes.length === 0 && <li>{nothingText(verdict)}</li>}
          </ol>
          <span class="note">{confidenceText(verdict)}</span>
        </section>
      ))}
    </>
  );
}
