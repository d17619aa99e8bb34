import type { JSX } from "preact";
import { replaceParameters } from "../../app/location.ts";
import { t } from "../../i18n/translate.ts";
import { CALL_SORTS, type CallSort } from "./call-row.ts";
import "../../i18n/en/calls.ts";

/** The order of the table, for those who cannot click its headings: on phones there are none. */
export function SortChoice({ sort }: { sort: CallSort }): JSX.Element {
  return (
    <label class="sort-choice">
      <span class="note">{t("metric.sortBy")}</span>
      <select
        class="field"
        value={sort}
        onChange={(event) => {
          const { value } = event.currentTarget;
          replaceParameters({ sort: value === "time" ? null : value });
        }}
      >
        {CALL_SORTS.map((one) => (
          <option key={one} value={one}>
            {t(`calls.sort.${one}`)}
          </option>
        ))}
      </select>
    </label>
  );
}
