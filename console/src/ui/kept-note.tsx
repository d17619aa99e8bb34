import type { JSX } from "preact";
import { t } from "../i18n/translate.ts";
import { Empty } from "./states.tsx";
import { dateTimeText } from "./time-text.ts";

/** An answer that says from when on its rows are kept; null where that is all of its range. Collectors before 0.2 do not say it. */
interface Kept {
  to: number;
  keptFrom?: number | null;
}

/** Says which part of the range is too old to be known; nothing while all of it is kept. */
export function KeptNote({ answer: { keptFrom = null } }: { answer: Kept }): JSX.Element | null {
  if (keptFrom === null) return null;
  return <p class="note after-table">{t("state.keptFrom", { time: dateTimeText(keptFrom) })}</p>;
}

/** In place of an empty list: none is claimed only of the time of which it is known. */
export function NoneKept(props: { answer: Kept; title: string; hint: string }): JSX.Element {
  const { answer, title, hint } = props;
  const { to, keptFrom = null } = answer;
  if (keptFrom !== null && keptFrom >= to)
    return <Empty title={t("state.notKept")} hint={t("state.keptFrom", { time: dateTimeText(keptFrom) })} />;
  return (
    <>
      <Empty title={title} hint={hint} />
      <KeptNote answer={answer} />
    </>
  );
}
