import type { JSX } from "preact";
import { search } from "../../app/location.ts";
import { choice } from "../../app/url-state.ts";
import type { CallSeriesAnswer } from "../../data/answers.ts";
import { t } from "../../i18n/translate.ts";
import { Card } from "../../ui/card.tsx";
import { CALL_SORTS, storeRow } from "../calls/call-row.ts";
import { CallsTable } from "../calls/calls-table.tsx";
import { SortChoice } from "../calls/sort-choice.tsx";
import "../../i18n/en/calls.ts";

/** Services by their share of the time. */
export function ServicesCard(props: {
  app: string;
  series: CallSeriesAnswer;
  compared: CallSeriesAnswer | null;
}): JSX.Element {
  const { app, series, compared } = props;
  const sort = choice(search.value, "sort", CALL_SORTS);
  return (
    <Card title={t("calls.services")} note={t("calls.servicesNote")} aside={<SortChoice sort={sort} />}>
      <CallsTable
        app={app}
        label={t("calls.services")}
        heading={t("metric.service")}
        category="external"
        rows={series.groups.map(storeRow)}
        before={compared?.groups.map(storeRow) ?? null}
        sort={sort}
      />
      {series.leftOut > 0 && (
        <p class="note after-table">{t("calls.limited", { count: series.groups.length })}</p>
      )}
    </Card>
  );
}
