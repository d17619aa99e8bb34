import type { JSX } from "preact";
import { pageRange } from "../../app/location.ts";
import { Sparkline } from "../../chart/sparkline.tsx";
import type { CountersAnswer } from "../../data/answers.ts";
import { apiPaths } from "../../data/paths.ts";
import { useAnswer } from "../../data/use-answer.ts";
import { t } from "../../i18n/translate.ts";
import { Card } from "../../ui/card.tsx";
import { count, text } from "../../ui/number-text.ts";
import { Table } from "../../ui/table.tsx";
import "../../i18n/en/app.ts";

/** What the app counts itself; nothing for the many that do not. */
export function OwnCounters({ app }: { app: string }): JSX.Element | null {
  const { data } = useAnswer<CountersAnswer>(apiPaths.counters(app), pageRange.value);
  if (data === null || data.counters.length === 0) return null;
  return (
    <Card class="span-12" title={t("app.counters")} note={t("app.countersNote")}>
      <Table
        label={t("app.counters")}
        class="fixed-first"
        rows={data.counters}
        keyOf={(row) => row.name}
        columns={[
          {
            key: "name",
            label: t("metric.name"),
            cell: (row) => (
              <span class="clip" title={row.name}>
                {row.name}
              </span>
            ),
          },
          {
            key: "curve",
            label: t("app.countersCurve"),
            cell: (row) => <Sparkline values={row.values} buckets={data} />,
          },
          {
            key: "total",
            label: t("app.countersTotal"),
            isNumber: true,
            cell: (row) => text(count(row.total)),
          },
        ]}
      />
    </Card>
  );
}
