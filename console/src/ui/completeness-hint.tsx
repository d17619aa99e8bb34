import type { JSX } from "preact";
import { changedLink } from "../app/location.ts";
import type { Completeness } from "../data/answers.ts";
import { t } from "../i18n/translate.ts";
import { count, percent, text } from "./number-text.ts";

/** Says how much of the range's data is missing, and why; nothing while all of it is there. */
export function CompletenessHint(props: { completeness: Completeness; app: string }): JSX.Element | null {
  const { completeness, app } = props;
  const ledger = `app:${app}`;
  const reasons = Object.entries(completeness.dropped).sort(([, a], [, b]) => b - a);
  if (reasons.length === 0) return null;
  const lost = reasons.reduce((sum, [, spans]) => sum + spans, 0);
  const facts = {
    lost: text(count(lost)),
    share: text(percent(1 - (completeness.ratio ?? 0))),
    reasons: reasons.map(([reason, spans]) => `${reason} ${text(count(spans))}`).join(", "),
  };
  return (
    <p class="notice" role="status">
      {t("chart.incomplete", facts)} <a href={changedLink({ ledger })}>{t("chart.ledger")}</a>
    </p>
  );
}
