import type { JSX } from "preact";
import { comparedRange } from "../../app/comparison.ts";
import { lazyPage } from "../../app/lazy-page.tsx";
import { link, pageRange } from "../../app/location.ts";
import { PageFrame } from "../../app/page-frame.tsx";
import { ChartCard } from "../../chart/chart-card.tsx";
import type { Columns, HostRow, HostsAnswer, SummaryAnswer } from "../../data/answers.ts";
import { apiPaths } from "../../data/paths.ts";
import { type Answer, useAnswer } from "../../data/use-answer.ts";
import { t } from "../../i18n/translate.ts";
import { Card } from "../../ui/card.tsx";
import { Answered } from "../../ui/states.tsx";
import { busiestHostsFirst } from "../home/worst-first.ts";
import { CPU_METRICS, CpuChart } from "../host/cpu-chart.tsx";
import { AppKpis } from "./app-kpis.tsx";
import {
  ApdexChart,
  ErrorRateChart,
  PercentileChart,
  SplitChart,
  ThroughputChart,
} from "./request-charts.tsx";
import { UnknownApp } from "./unknown-app.tsx";

/** The tables lie below the first screen, so the charts need not wait for their code. */
const AppTables = lazyPage(async () => (await import("./app-tables.tsx")).AppTables);

/** "What is slow right now, and why?" */
export function AppPage({ app }: { app: string }): JSX.Element {
  const range = pageRange.value;
  const summary = useAnswer<SummaryAnswer>(apiPaths.summary(app), range);
  const crumbs = [{ label: t("nav.apps"), href: link({ page: "apps" }) }];
  const isUnknown = summary.error?.status === 404;
  return (
    <PageFrame title={app} crumbs={crumbs} hasComparison>
      {isUnknown ? (
        <Card>
          <UnknownApp app={app} />
        </Card>
      ) : (
        <Overview app={app} summary={summary} />
      )}
    </PageFrame>
  );
}

function Overview({ app, summary }: { app: string; summary: Answer<SummaryAnswer> }): JSX.Element {
  const range = pageRange.value;
  const before = comparedRange.value;
  const ofBefore = (path: string): string | null => (before === null ? null : path);
  const series = useAnswer<Columns>(apiPaths.appSeries(app), range);
  const summaryBefore = useAnswer<SummaryAnswer>(ofBefore(apiPaths.summary(app)), before);
  const seriesBefore = useAnswer<Columns>(ofBefore(apiPaths.appSeries(app)), before);
  const host = useWorstHost(summary.data);
  const hostPath = host === null ? null : apiPaths.hostSeries(host.host, CPU_METRICS);
  const hostSeries = useAnswer<Columns>(hostPath, range);
  const charts = { subject: app, compared: seriesBefore.data, whole: summary.data };
  return (
    <>
      <Answered answer={summary} size="kpi">
        {(data) => (
          <>
            {data.requests === 0 && <NoTraffic app={app} />}
            <AppKpis
              summary={data}
              before={summaryBefore.data}
              columns={series.data}
              host={host}
              hostColumns={hostSeries.data}
            />
          </>
        )}
      </Answered>
      <div class="grid">
        <ChartCard class="span-8" answer={series} size="chart-tall">
          {(columns) => <SplitChart {...charts} columns={columns} height="tall" />}
        </ChartCard>
        <ChartCard class="span-4" answer={series} size="chart-tall">
          {(columns) => <PercentileChart {...charts} columns={columns} height="tall" />}
        </ChartCard>
        <ChartCard class="span-3" answer={series}>
          {(columns) => <ApdexChart {...charts} columns={columns} />}
        </ChartCard>
        <ChartCard class="span-3" answer={series}>
          {(columns) => <ThroughputChart {...charts} columns={columns} />}
        </ChartCard>
        <ChartCard class="span-3" answer={series}>
          {(columns) => <ErrorRateChart {...charts} columns={columns} />}
        </ChartCard>
        <ChartCard class="span-3" answer={hostSeries}>
          {(columns) => (
            <CpuChart
              host={host?.host ?? ""}
              columns={columns}
              title={t("app.hostCpu")}
              note={host?.host ?? ""}
            />
          )}
        </ChartCard>
      </div>
      <AppTables app={app} />
    </>
  );
}

/** Of the app's hosts the busiest one. */
function useWorstHost(summary: SummaryAnswer | null): HostRow | null {
  const hosts = useAnswer<HostsAnswer>(apiPaths.hosts(), pageRange.value);
  const ofApp = hosts.data?.hosts.filter((row) => summary?.hosts.includes(row.host)) ?? [];
  return busiestHostsFirst(ofApp)[0] ?? null;
}

function NoTraffic({ app }: { app: string }): JSX.Element {
  return (
    <p class="notice" role="status">
      <b>{t("state.noTraffic")}</b> {t("state.noTrafficPlain")} <a href={link({ page: "apps" })}>{app}</a>
    </p>
  );
}
