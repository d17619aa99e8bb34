import type { JSX } from "preact";
import { alignedColumn, comparison } from "../../app/comparison.ts";
import { pageNowMs } from "../../app/location.ts";
import type { ColorName } from "../../chart/colors.ts";
import { type ChartSeries, TimeChart } from "../../chart/time-chart.tsx";
import type { Columns, Statistics } from "../../data/answers.ts";
import { column, mapColumn } from "../../data/columns.ts";
import { t } from "../../i18n/translate.ts";
import { thresholdText } from "../../ui/apdex-chip.tsx";
import "../../i18n/en/app.ts";

export interface RequestChartProps {
  /** The app or action that the numbers belong to. */
  subject: string;
  columns: Columns;
  /** The same of the compared range; null without comparison. */
  compared: Columns | null;
  /** The whole range's numbers for the legends; null while unknown. */
  whole: Statistics | null;
  /** The compared range's numbers for the legends; null while unknown. */
  wholeCompared: Statistics | null;
  /** Where a click on a bucket leads. */
  tracesOf?: { app: string; action?: string };
  height?: "tall" | "low";
}

function arrivedOf(columns: Columns): boolean[] {
  return column(columns, "requests").map((value) => value !== null);
}

function comparedSeries(props: RequestChartProps, name: string, ofRange: number | null): ChartSeries[] {
  const { columns, compared } = props;
  if (comparison.value === "none" || compared === null) return [];
  // An app that had not reported yet had no traffic of 0: it is not known.
  const whole = arrivedOf(compared).includes(true) ? ofRange : null;
  const values = alignedColumn(columns, compared, name);
  const label = t(`cmp.${comparison.value}`);
  return [{ key: "compared", label, color: "text-3", values, whole, isDashed: true }];
}

/** Layers of the response time in legend order; `layer` is their place in the stack. */
const SPLIT = [
  { key: "code", layer: 3 },
  { key: "database", layer: 0 },
  { key: "cache", layer: 1 },
  { key: "external", layer: 2 },
  { key: "queue", layer: 4 },
] as const;

/** Where an average request's time goes, stacked. */
export function SplitChart(props: RequestChartProps): JSX.Element {
  const { columns, whole } = props;
  const series: ChartSeries[] = SPLIT.map(({ key, layer }) => ({
    key,
    layer,
    label: t(`split.${key}`),
    color: key,
    values: column(columns, `${key}Ms`),
    whole: whole?.timeSplitMs?.[key] ?? null,
  }));
  return (
    <TimeChart
      {...props}
      id="split"
      title={t("app.split")}
      note={t("app.splitNote")}
      series={[
        ...series,
        ...comparedSeries(props, "avgMs", props.wholeCompared?.responseTimeMs?.avg ?? null),
      ]}
      kind="stack"
      unit="ms"
      leastTop={1}
      arrived={arrivedOf(columns)}
    />
  );
}

/** p50, p95 and p99 apart from the stack, because they would squash it. */
export function PercentileChart(props: RequestChartProps): JSX.Element {
  const { columns, whole } = props;
  const lines: { key: "p50" | "p95" | "p99"; color: ColorName }[] = [
    { key: "p50", color: "code" },
    { key: "p95", color: "database" },
    { key: "p99", color: "cache" },
  ];
  const series = lines.map(({ key, color }) => ({
    key,
    label: key,
    color,
    values: column(columns, `${key}Ms`),
    whole: whole?.responseTimeMs?.[key] ?? null,
  }));
  return (
    <TimeChart
      {...props}
      id="percentiles"
      title={t("app.percentiles")}
      note={t("app.percentilesNote")}
      series={series}
      kind="lines"
      unit="ms"
      isLog
      arrived={arrivedOf(columns)}
    />
  );
}

/** Requests per minute by class of their status. */
export function ThroughputChart(props: RequestChartProps): JSX.Element {
  const { columns } = props;
  const perMinute = 60_000 / columns.stepMs;
  const minutes = (Math.min(columns.to, pageNowMs.value) - columns.from) / 60_000;
  const classes = [
    { key: "5xx", color: "status-5xx", layer: 3 },
    { key: "4xx", color: "status-4xx", layer: 2 },
    { key: "3xx", color: "status-3xx", layer: 1 },
    { key: "2xx", color: "status-2xx", layer: 0 },
  ] as const;
  const series: ChartSeries[] = classes.map(({ key, color, layer }) => {
    const counts = column(columns, `status${key}`);
    const known = counts.filter((count) => count !== null);
    const values = mapColumn(counts, (count) => count * perMinute);
    return {
      key,
      label: key,
      color,
      layer,
      values,
      whole: known.length === 0 ? null : sumOf(known) / minutes,
    };
  });
  return (
    <TimeChart
      {...props}
      id="throughput"
      title={t("app.throughput")}
      note={t("metric.perMinute")}
      series={[
        ...series,
        ...comparedSeries(props, "throughputRpm", props.wholeCompared?.throughputRpm ?? null),
      ]}
      kind="stack"
      unit="count"
      leastTop={6}
      arrived={arrivedOf(columns)}
    />
  );
}

/** Share of requests that failed. */
export function ErrorRateChart(props: RequestChartProps): JSX.Element {
  const { columns, whole } = props;
  const series: ChartSeries[] = [
    {
      key: "errorRate",
      label: t("app.serverErrors"),
      color: "status-5xx",
      values: column(columns, "errorRate"),
      whole: whole?.errorRate ?? null,
    },
  ];
  return (
    <TimeChart
      {...props}
      id="errors"
      title={t("metric.errorRate")}
      note="%"
      series={[...series, ...comparedSeries(props, "errorRate", props.wholeCompared?.errorRate ?? null)]}
      kind="lines"
      unit="ratio"
      leastTop={0.01}
      arrived={arrivedOf(columns)}
    />
  );
}

/** The Apdex score between the borders of its grades. */
export function ApdexChart(props: RequestChartProps): JSX.Element {
  const { columns, whole } = props;
  const series: ChartSeries[] = [
    {
      key: "apdex",
      label: t("metric.apdex"),
      color: "code",
      values: column(columns, "apdex"),
      whole: whole?.apdex ?? null,
    },
  ];
  return (
    <TimeChart
      {...props}
      id="apdex"
      title={t("metric.apdex")}
      note={thresholdText(whole?.apdexTMs)}
      series={[...series, ...comparedSeries(props, "apdex", props.wholeCompared?.apdex ?? null)]}
      kind="lines"
      unit="score"
      showsGrades
      arrived={arrivedOf(columns)}
    />
  );
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
