import type { JSX } from "preact";
import { comparedRange } from "../../app/comparison.ts";
import { useHostZone } from "../../app/host-zone.ts";
import { lazyPage } from "../../app/lazy-page.tsx";
import { isLiveMode } from "../../app/live.ts";
import { changedLink, link, pageRange } from "../../app/location.ts";
import { PageFrame } from "../../app/page-frame.tsx";
import { ChartCard } from "../../chart/chart-card.tsx";
import type { AppsAnswer, Columns, HostRow, HostsAnswer, SummaryAnswer } from "../../data/answers.ts";
import { apiPaths } from "../../data/paths.ts";
import { type Answer, useAnswer } from "../../data/use-answer.ts";
import { t } from "../../i18n/translate.ts";
import { agoText } from "../../ui/ago-text.ts";
import { Card } from "../../ui/card.tsx";
import { CompletenessHint } from "../../ui/completeness-hint.tsx";
import { ShortDataHint } from "../../ui/short-data-hint.tsx";
import { Answered, Empty, Failure } from "../../ui/states.tsx";
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
import "../../i18n/en/app.ts";

/** The tables lie below the first screen, so the charts need not wait for their code. */
const AppTables = lazyPage(async () => (await import("./app-tables.tsx")).AppTables);

const LiveRequests = lazyPage(async () => (await import("./live-requests.tsx")).LiveRequests);

const AppVerdict = lazyPage(
  async () => (await import("./app-verdict.tsx")).AppVerdict,
  () => null,
);
const AppEnds = lazyPage(async () => (await import("./app-ends.tsx")).AppEnds);

/** "What is slow right now, and why?" */
export function AppPage({ app }: { app: string }): JSX.Element {
  const range = pageRange.value;
  const summary = useAnswer<SummaryAnswer>(apiPaths.summary(app), range);
  const crumbs = [{ label: t("nav.apps"), href: link({ page: "apps" }) }];
  return (
    <PageFrame title={app} crumbs={crumbs} hasComparison hasLive>
      {isLiveMode.value && <LiveRequests app={app} />}
      <Content app={app} summary={summary} />
    </PageFrame>
  );
}

/** One message where there is nothing to show, instead of the same one in every card. */
function Content({ app, summary }: { app: string; summary: Answer<SummaryAnswer> }): JSX.Element {
  if (summary.data === null && summary.error !== null) {
    const isUnknown = summary.error.status === 404;
    return (
      <Card>
        {isUnknown ? <UnknownApp app={app} /> : <Failure error={summary.error} onRetry={summary.retry} />}
      </Card>
    );
  }
  if (summary.data?.requests === 0)
    return (
      <>
        <NoTraffic app={app} />
        <AppEnds app={app} />
      </>
    );
  return <Overview app={app} summary={summary} />;
}

function Overview({ app, summary }: { app: string; summary: Answer<SummaryAnswer> }): JSX.Element {
  const range = pageRange.value;
  const before = comparedRange.value;
  const ofBefore = (path: string): string | null => (before === null ? null : path);
  const series = useAnswer<Columns>(apiPaths.appSeries(app), range);
  const summaryBefore = useAnswer<SummaryAnswer>(ofBefore(apiPaths.summary(app)), before);
  const seriesBefore = useAnswer<Columns>(ofBefore(apiPaths.appSeries(app)), before);
  const hosts = useAnswer<HostsAnswer>(apiPaths.hosts(), range);
  const host = worstHost(hosts.data, summary.data);
  useHostZone(host?.timeZone);
  const hostPath = host === null ? null : apiPaths.hostSeries(host.host, CPU_METRICS);
  const hostSeries = useAnswer<Columns>(hostPath, range);
  const charts = {
    subject: app,
    tracesOf: { app },
    compared: seriesBefore.data,
    whole: summary.data,
    wholeCompared: summaryBefore.data,
  };
  return (
    <>
      <ShortDataHint columns={series.data} metric="requests" />
      <AppVerdict app={app} />
      {summary.data && <CompletenessHint app={app} completeness={summary.data.completeness} />}
      <Answered answer={summary} size="kpi">
        {(data) => (
          <AppKpis
            summary={data}
            before={summaryBefore.data}
            columns={series.data}
            host={host}
            hostColumns={hostSeries.data}
          />
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
        <ChartCard class="span-3" answer={host === null ? { ...hosts, data: null } : hostSeries}>
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
      <AppEnds app={app} />
      <AppTables app={app} />
    </>
  );
}

/** Of the app's hosts the busiest one. */
function worstHost(hosts: HostsAnswer | null, summary: SummaryAnswer | null): HostRow | null {
  const ofApp = hosts?.hosts.filter((row) => summary?.hosts.includes(row.host)) ?? [];
  return busiestHostsFirst(ofApp)[0] ?? null;
}

function NoTraffic({ app }: { app: string }): JSX.Element {
  const apps = useAnswer<AppsAnswer>(apiPaths.apps(), pageRange.value);
  const lastSeenUnixMs = apps.data?.apps.find((row) => row.app === app)?.lastSeenUnixMs ?? null;
  const hint =
    lastSeenUnixMs === null
      ? t("state.noTrafficPlain")
      : t("state.noTrafficHint", { app, ago: agoText(lastSeenUnixMs) });
  return (
    <Card>
      <Empty title={t("state.noTraffic")} hint={hint}>
        <a class="button" href={changedLink({ from: "now-24h", to: "now" })}>
          {t("time.last", { span: t("span.h", { n: 24 }) })}
        </a>
      </Empty>
    </Card>
  );
}
