import type { JSX } from "preact";
import { changedLink, isLive } from "../app/location.ts";
import { fittingPreset } from "../app/short-data.ts";
import type { Columns } from "../data/answers.ts";
import { arrivedIn } from "../data/columns.ts";
import { t } from "../i18n/translate.ts";
import { spanText } from "./ago-text.ts";
import { clockText } from "./time-text.ts";

/** Offers a shorter range while the data fill only the last part of this one. */
export function ShortDataHint(props: { columns: Columns | null; metric: string }): JSX.Element | null {
  const { columns, metric } = props;
  const fitting = columns && isLive.value ? fittingPreset(columns, arrivedIn(columns, [metric])) : null;
  if (fitting === null) return null;
  return (
    <p class="notice" role="status">
      {t("time.dataStart", { time: clockText(fitting.startMs) })}{" "}
      <a href={changedLink({ from: `now-${fitting.preset}`, to: null })}>
        {t("time.last", { span: spanText(fitting.preset) })}
      </a>
    </p>
  );
}
