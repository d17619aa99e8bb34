import type { JSX } from "preact";
import { changedLink } from "../app/location.ts";
import { t } from "../i18n/translate.ts";
import { percent, text } from "./number-text.ts";

/** The share as digits that never claim to be whole when something is missing. */
export function completeShare(ratio: number): string {
  return text(percent(ratio < 1 ? Math.min(ratio, 0.9994) : 1));
}

/** How much of a card's data has arrived; a click shows what is missing, where and why. */
export function CompletenessChip(props: { ratio: number | null; ledger: string | null }): JSX.Element | null {
  const { ratio, ledger } = props;
  if (ratio === null || ledger === null) return null;
  return (
    <a
      class={ratio < 1 ? "chip chip-part" : "chip chip-whole"}
      href={changedLink({ ledger })}
      title={t("chart.ledger")}
    >
      {t("chart.complete", { share: completeShare(ratio) })}
    </a>
  );
}
