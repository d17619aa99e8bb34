import type { JSX } from "preact";
import { link } from "../../app/location.ts";
import { Sparkline } from "../../chart/sparkline.tsx";
import type { AppRow } from "../../data/answers.ts";
import { t } from "../../i18n/translate.ts";
import { agoText } from "../../ui/ago-text.ts";
import { ApdexCell, thresholdText } from "../../ui/apdex-chip.tsx";
import { DemoBadge } from "../../ui/demo-badge.tsx";
import { count, duration, percent, text } from "../../ui/number-text.ts";
import { Table } from "../../ui/table.tsx";
import { worstAppsFirst } from "./worst-first.ts";

/** All apps that reported, lowest Apdex first. */
export function AppsTable({ apps }: { apps: AppRow[] }): JSX.Element {
  return (
    <Table
      label={t("home.apps")}
      rows={worstAppsFirst(apps)}
      keyOf={(row) => row.app}
      columns={[
        {
          key: "app",
          label: t("metric.app"),
          cell: (row) => (
            <span class="two-lines">
              <span>
                <a class="row-link strong" href={link({ page: "app", app: row.app })}>
                  {row.app}
                </a>{" "}
                <DemoBadge app={row.app} />
              </span>
              <small>{row.hosts.join(", ")}</small>
            </span>
          ),
        },
        {
          key: "apdex",
          label: t("metric.apdex"),
          cell: (row) => (
            <>
              <ApdexCell score={row.apdex} requests={row.requests} />{" "}
              <small>{thresholdText(row.apdexTMs)}</small>
            </>
          ),
        },
        { key: "rpm", label: t("metric.rpm"), isNumber: true, cell: (row) => text(count(row.throughputRpm)) },
        {
          key: "avg",
          label: t("metric.average"),
          isNumber: true,
          cell: (row) => text(duration(row.responseTimeMs?.avg)),
        },
        { key: "p95", label: "p95", isNumber: true, cell: (row) => text(duration(row.responseTimeMs?.p95)) },
        {
          key: "errors",
          label: t("metric.errorRate"),
          isNumber: true,
          cell: (row) => <ErrorRate rate={row.errorRate} />,
        },
        {
          key: "trend",
          label: t("metric.requestsTrend"),
          cell: (row) => <Sparkline values={row.sparkline.requests} buckets={row.sparkline} />,
        },
        {
          key: "seen",
          label: t("metric.lastSeen"),
          isNumber: true,
          cell: (row) => agoText(row.lastSeenUnixMs),
        },
      ]}
    />
  );
}

/** An error rate that stands out from 1 % on. */
export function ErrorRate({ rate }: { rate: number | null }): JSX.Element {
  return <span class={rate !== null && rate >= 0.01 ? "bad" : undefined}>{text(percent(rate))}</span>;
}
