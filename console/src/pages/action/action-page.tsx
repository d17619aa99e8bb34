import type { JSX } from "preact";
import { comparedRange } from "../../app/comparison.ts";
import { lazyPage } from "../../app/lazy-page.tsx";
import { link, pageRange } from "../../app/location.ts";
import { PageFrame } from "../../app/page-frame.tsx";
import { ChartCard } from "../../chart/chart-card.tsx";
import type { ActionRow, ActionsAnswer, Columns } from "../../data/answers.ts";
import { apiPaths } from "../../data/paths.ts";
import { useAnswer } from "../../data/use-answer.ts";
import { t } from "../../i18n/translate.ts";
import { Answered } from "../../ui/states.tsx";
import { RequestKpis } from "../app/app-kpis.tsx";
import {
  ApdexChart,
  ErrorRateChart,
  PercentileChart,
  SplitChart,
  ThroughputChart,
} from "../app/request-charts.tsx";
import { UnknownApp } from "../app/unknown-app.tsx";
import "../../i18n/en/actions.ts";

const LatencyCard = lazyPage(async () => (await import("./latency-card.tsx")).LatencyCard);
const ActionTables = lazyPage(async () => (await import("./action-tables.tsx")).ActionTables);

/** "When and why is this action slow?" */
export function ActionPage({ app, action }: { app: string; action: string }): JSX.Element {
  const range = pageRange.value;
  const before = comparedRange.value;
  const path = apiPaths.actions(app, "all", "time");
  const actions = useAnswer<ActionsAnswer>(path, range);
  const actionsBefore = useAnswer<ActionsAnswer>(before === null ? null : path, before);
  const series = useAnswer<Columns>(apiPaths.appSeries(app, action), range);
  const seriesBefore = useAnswer<Columns>(before === null ? null : apiPaths.appSeries(app, action), before);
  const ofAction = (answer: ActionsAnswer | null): ActionRow | null =>
    answer?.actions.find((row) => row.action === action) ?? null;
  const charts = {
    subject: action,
    tracesOf: { app, action },
    compared: seriesBefore.data,
    whole: ofAction(actions.data),
    wholeCompared: ofAction(actionsBefore.data),
  };
  const crumbs = [
    { label: app, href: link({ page: "app", app }) },
    { label: t("actions.title"), href: link({ page: "actions", app }) },
  ];
  return (
    <PageFrame title={action} crumbs={crumbs} hasComparison>
      <Answered answer={actions} size="kpi" missing={<UnknownApp app={app} />}>
        {(data) => {
          const row = ofAction(data);
          if (row === null) return <NoRequests />;
          return <RequestKpis summary={row} before={ofAction(actionsBefore.data)} columns={series.data} />;
        }}
      </Answered>
      <LatencyCard app={app} action={action} />
      <div class="grid">
        <ChartCard class="span-8" answer={series} size="chart-tall">
          {(columns) => <SplitChart {...charts} columns={columns} height="tall" />}
        </ChartCard>
        <ChartCard class="span-4" answer={series} size="chart-tall">
          {(columns) => <PercentileChart {...charts} columns={columns} height="tall" />}
        </ChartCard>
        <ChartCard class="span-4" answer={series}>
          {(columns) => <ThroughputChart {...charts} columns={columns} />}
        </ChartCard>
        <ChartCard class="span-4" answer={series}>
          {(columns) => <ApdexChart {...charts} columns={columns} />}
        </ChartCard>
        <ChartCard class="span-4" answer={series}>
          {(columns) => <ErrorRateChart {...charts} columns={columns} />}
        </ChartCard>
      </div>
      <ActionTables app={app} action={action} />
    </PageFrame>
  );
}

function NoRequests(): JSX.Element {
  return (
    <p class="notice" role="status">
      <b>{t("state.noTraffic")}</b> {t("state.noTrafficPlain")}
    </p>
  );
}
