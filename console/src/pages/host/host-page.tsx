import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { useHostZone } from "../../app/host-zone.ts";
import { lazyPage } from "../../app/lazy-page.tsx";
import { useLiveSeconds } from "../../app/live.ts";
import { link, pageRange } from "../../app/location.ts";
import { PageFrame } from "../../app/page-frame.tsx";
import { ChartCard } from "../../chart/chart-card.tsx";
import type { Columns, HostRow, HostsAnswer, SnapshotAnswer } from "../../data/answers.ts";
import { column } from "../../data/columns.ts";
import { liveHostColumns } from "../../data/live-columns.ts";
import { apiPaths } from "../../data/paths.ts";
import { type Answer, useAnswer } from "../../data/use-answer.ts";
import { t } from "../../i18n/translate.ts";
import { agoText } from "../../ui/ago-text.ts";
import { Card } from "../../ui/card.tsx";
import { bytes, text } from "../../ui/number-text.ts";
import { ShortDataHint } from "../../ui/short-data-hint.tsx";
import { Answered, Empty } from "../../ui/states.tsx";
import { dateTimeText } from "../../ui/time-text.ts";
import { Cores } from "./cores.tsx";
import { CPU_METRICS, CpuChart } from "./cpu-chart.tsx";
import { HOST_CHARTS, HostChart, type HostChartPlan } from "./host-charts.tsx";
import { MEMORY_METRICS, MemoryChart } from "./memory-chart.tsx";
import "../../i18n/en/host.ts";

/** The tables lie below the first screen, so the charts need not wait for their code. */
const HostTables = lazyPage(async () => (await import("./host-tables.tsx")).HostTables);

const METRICS: readonly string[] = [
  ...CPU_METRICS,
  ...MEMORY_METRICS,
  ...HOST_CHARTS.flatMap((plan) => plan.lines.map((line) => line.metric)),
];

/** "What happened on this host, second by second?" */
export function HostPage({ host }: { host: string }): JSX.Element {
  const range = pageRange.value;
  const stored = useAnswer<Columns>(apiPaths.hostSeries(host, METRICS), range);
  const seconds = useLiveSeconds({ host });
  const data = useMemo(
    () => (stored.data === null ? null : liveHostColumns(stored.data, seconds)),
    [stored.data, seconds],
  );
  const series = { ...stored, data };
  const hosts = useAnswer<HostsAnswer>(apiPaths.hosts(), range);
  const snapshot = useAnswer<SnapshotAnswer>(apiPaths.snapshot(host), range);
  const row = hosts.data?.hosts.find((one) => one.host === host) ?? null;
  useHostZone(row?.timeZone);
  return (
    <PageFrame title={host} crumbs={[{ label: t("hosts.title"), href: link({ page: "hosts" }) }]} hasLive>
      {series.error?.status === 404 ? (
        <Card>
          <Empty
            title={t("state.unknownHost", { host })}
            hint={t("state.unknownHostHint")}
            command="apm daemon --collector ws://HOST:PORT --license-key-file FILE"
          />
        </Card>
      ) : (
        <>
          {row && <Inventory row={row} />}
          <ShortDataHint columns={series.data} metric="cpuIdleRatio" />
          <Charts host={host} series={series} snapshot={snapshot} row={row} />
          <HostTables host={host} snapshot={snapshot} />
        </>
      )}
    </PageFrame>
  );
}

function Inventory({ row }: { row: HostRow }): JSX.Element {
  const facts: [string, string][] = [
    [t("hosts.os"), row.os],
    [t("host.kernel"), `${row.kernel} ${row.arch}`],
    [t("host.cpuModel"), `${row.cpuModel} · ${t("host.loadNote", { cores: row.cores })}`],
    [t("metric.memory"), text(bytes(row.memTotalBytes))],
    [t("host.virtualization"), row.virtualization],
    [t("host.boot"), dateTimeText(row.bootUnixMs)],
    [t("hosts.daemon"), row.daemonVersion],
    [t("metric.lastSeen"), agoText(row.lastSeenUnixMs)],
  ];
  return (
    <Card>
      <dl class="facts facts-row">
        {facts
          .filter(([, value]) => value !== "")
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
    </Card>
  );
}

interface ChartsProps {
  host: string;
  series: Answer<Columns>;
  snapshot: Answer<SnapshotAnswer>;
  row: HostRow | null;
}

function Charts({ host, series, snapshot, row }: ChartsProps): JSX.Element {
  const loadNote = row === null ? undefined : t("host.loadNote", { cores: row.cores });
  return (
    <div class="grid">
      <ChartCard class="span-8" answer={series} size="chart-tall">
        {(columns) => (
          <CpuChart
            host={host}
            columns={columns}
            title={t("metric.cpu")}
            note={t("host.cpuNote")}
            height="tall"
          />
        )}
      </ChartCard>
      <Card class="span-4" title={t("host.cores")}>
        <Answered answer={snapshot} missing={<Empty title={t("state.noSeries")} />}>
          {(data) => <Cores snapshot={data} />}
        </Answered>
      </Card>
      <ChartCard class="span-4" answer={series}>
        {(columns) => <MemoryChart host={host} columns={columns} />}
      </ChartCard>
      {HOST_CHARTS.map((plan) => (
        <ChartCard key={plan.title} class="span-4" answer={series}>
          {(columns) => {
            const note = plan.title === "host.load" ? loadNote : undefined;
            return isAbsent(columns, plan) ? (
              <Absent plan={plan} />
            ) : (
              <HostChart host={host} columns={columns} plan={plan} {...(note !== undefined && { note })} />
            );
          }}
        </ChartCard>
      ))}
    </div>
  );
}

/** Pressure is missing on kernels without PSI while everything else arrives; that is no gap in the data. */
function isAbsent(columns: Columns, plan: HostChartPlan): boolean {
  const hasOthers = column(columns, "cpuIdleRatio").some((value) => value !== null);
  return (
    hasOthers && plan.lines.every((line) => column(columns, line.metric).every((value) => value === null))
  );
}

function Absent({ plan }: { plan: HostChartPlan }): JSX.Element {
  return (
    <>
      <header class="card-head">
        <h2>{t(plan.title)}</h2>
      </header>
      <Empty title={plan.title === "host.psi" ? t("host.psiAbsent") : t("state.noSeries")} />
    </>
  );
}
