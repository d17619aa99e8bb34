import type { JSX } from "preact";
import { useLiveSeconds } from "../../app/live.ts";
import { mean, type Values } from "../../chart/stack.ts";
import { type ChartSeries, TimeChart } from "../../chart/time-chart.tsx";
import { column } from "../../data/columns.ts";
import { liveRequestColumns } from "../../data/live-columns.ts";
import { t } from "../../i18n/translate.ts";
import { Card } from "../../ui/card.tsx";
import "../../i18n/en/live.ts";

/** The app's requests of the last two minutes, second by second, as its hosts tell them. */
export function LiveRequests({ app }: { app: string }): JSX.Element {
  const columns = liveRequestColumns(useLiveSeconds({ app }));
  if (columns === null) return <p class="note">{t("live.waiting")}</p>;
  const requests = column(columns, "requests");
  const arrived = requests.map((value) => value !== null);
  const shared = { subject: app, columns, arrived, kind: "lines" } as const;
  const series = (
    key: string,
    label: string,
    color: ChartSeries["color"],
    whole: number | null,
  ): ChartSeries => ({ key, label, color, values: column(columns, key), whole });
  return (
    <div class="grid">
      <Card class="span-6">
        <TimeChart
          {...shared}
          id="live-requests"
          title={t("live.requests")}
          note={t("live.requestsNote")}
          unit="count"
          leastTop={1}
          series={[
            series("requests", t("live.requests"), "code", mean(requests)),
            series("errors", t("live.errors"), "status-5xx", mean(column(columns, "errors"))),
          ]}
        />
      </Card>
      <Card class="span-6">
        <TimeChart
          {...shared}
          id="live-avg"
          title={t("live.avg")}
          note={t("metric.avg")}
          unit="ms"
          leastTop={1}
          series={[
            series("avgMs", t("metric.avg"), "database", averageMs(requests, column(columns, "avgMs"))),
          ]}
        />
      </Card>
    </div>
  );
}

/** Of all requests, not of the seconds' averages. */
function averageMs(requests: Values, averages: Values): number | null {
  const total = requests.reduce<number>((sum, count) => sum + (count ?? 0), 0);
  if (total === 0) return null;
  return requests.reduce<number>((sum, count, i) => sum + (count ?? 0) * (averages[i] ?? 0), 0) / total;
}
