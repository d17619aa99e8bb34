import type { JSX } from "preact";
import { t } from "../i18n/translate.ts";
import { APDEX_GLYPHS, apdexGrade, STABLE_APDEX_REQUESTS } from "./apdex-grade.ts";
import { duration, score, text } from "./number-text.ts";

/** The grade's sign and word, with the score in front where it stands alone. */
export function ApdexChip(props: { score: number | null; withScore?: boolean }): JSX.Element {
  const grade = apdexGrade(props.score);
  const shown = props.withScore && grade !== "none" ? `${text(score(props.score))} ` : "";
  return (
    <span class={`chip grade-${grade}`}>
      <span aria-hidden="true" class="glyph">
        {APDEX_GLYPHS[grade]}
      </span>{" "}
      {shown}
      {t(`grade.${grade}`)}
    </span>
  );
}

/** `T = 0.50 s`, which belongs beside every score. */
export function thresholdText(apdexTMs: number | null | undefined): string {
  return t("metric.apdexT", { t: text(duration(apdexTMs)) });
}

/** Score with word for a table cell; few samples are marked. */
export function ApdexCell(props: { score: number | null; requests: number }): JSX.Element {
  return (
    <span class="apdex-cell">
      <ApdexChip score={props.score} withScore />
      <FewSamples requests={props.requests} />
    </span>
  );
}

/** The mark of a score computed from too few requests. */
export function FewSamples({ requests }: { requests: number }): JSX.Element | null {
  if (requests === 0 || requests >= STABLE_APDEX_REQUESTS) return null;
  return (
    <span class="few" title={t("metric.unstableHint")}>
      {t("metric.unstable")}
    </span>
  );
}
