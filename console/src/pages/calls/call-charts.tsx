import type { JSX } from "preact";
import { alignedColumn, comparison } from "../../app/comparison.ts";
import { pageNowMs } from "../../app/location.ts";
import { type ChartSeries, TimeChart } from "../../chart/time-chart.tsx";
import type { Unit } from "../../chart/unit.ts";
import type { CallSeriesAnswer, Column, Columns } from "../../data/answers.ts";
import { mapColumn } from "../../data/columns.ts";
import { t } from "../../i18n/translate.ts";
import { type CountedColumn, layersOf } from "./call-layers.ts";
import "../../i18n/en/calls.ts";

export interface CallChartProps {
  /** The app or operation that the calls belong to. */
  subject: string;
  series: CallSeriesAnswer;
  /** The same of the compared range; null without comparison. */
  compared: CallSeriesAnswer | null;
  height?: "tall" | "low";
}

/** Milliseconds of calls in each second, a layer for each store or operation. */
export function CallTimeChart(props: CallChartProps): JSX.Element {
  const { series } = props;
  return (
    <StackedChart
      {...props}
      name="totalTimeMs"
      title={t("calls.time")}
      note={t("calls.timeNote")}
      unit="ms"
      leastTop={1}
      perStep={series.stepMs / 1000}
      inAll={elapsedMs(series) / 1000}
    />
  );
}

/** Calls per minute, stacked. */
export function CallCountChart(props: CallChartProps): JSX.Element {
  const { series } = props;
  return (
    <StackedChart
      {...props}
      name="calls"
      title={t("calls.throughput")}
      note={t("calls.perMinute")}
      unit="count"
      leastTop={6}
      perStep={series.stepMs / 60_000}
      inAll={elapsedMs(series) / 60_000}
    />
  );
}

/** Failed calls per minute, stacked. */
export function CallErrorChart(props: CallChartProps): JSX.Element {
  const { series } = props;
  return (
    <StackedChart
      {...props}
      name="errors"
      title={t("calls.errors")}
      note={t("calls.perMinute")}
      unit="count"
      leastTop={1}
      perStep={series.stepMs / 60_000}
      inAll={elapsedMs(series) / 60_000}
    />
  );
}

/** Average and p95 of all calls of the answer. */
export function LatencyChart(props: CallChartProps & { title?: string; note?: string }): JSX.Element {
  const { subject, series, compared, title = t("calls.latency"), note = t("calls.perCall"), height } = props;
  const { cols, durationMs } = series.all;
  const lines: ChartSeries[] = [
    { key: "avg", label: t("metric.avg"), color: "code", values: cols.avgMs, whole: durationMs?.avg ?? null },
    { key: "p95", label: "p95", color: "database", values: cols.p95Ms, whole: durationMs?.p95 ?? null },
  ];
  const before = comparedLine(
    series,
    compared,
    (answer) => answer.all.cols.avgMs,
    compared?.all.durationMs?.avg ?? null,
  );
  return (
    <TimeChart
      id={`latency ${subject}`}
      subject={subject}
      title={title}
      note={note}
      columns={plotColumns(series)}
      series={[...lines, ...before]}
      kind="lines"
      unit="ms"
      leastTop={1}
      arrived={arrivedOf(series)}
      {...(height && { height })}
    />
  );
}

function StackedChart(
  props: CallChartProps & {
    name: CountedColumn;
    title: string;
    note: string;
    unit: Unit;
    leastTop: number;
    /** What a step's value, and that of the whole range, is divided by. */
    perStep: number;
    inAll: number;
  },
): JSX.Element {
  const { subject, series, compared, name, title, note, unit, leastTop, perStep, inAll, height } = props;
  const layers = layersOf(series, name, t("calls.others"));
  const rate = (total: number): number | null => (inAll > 0 ? total / inAll : null);
  const before = comparedLine(
    series,
    compared,
    (answer) => mapColumn(answer.all.cols[name], (value) => value / perStep),
    compared === null ? null : rate(compared.all[name]),
  );
  return (
    <TimeChart
      id={`${name} ${subject}`}
      subject={subject}
      title={title}
      note={note}
      columns={plotColumns(series)}
      series={[
        ...layers.map(({ key, label, color, values, total }) => ({
          key,
          label,
          color,
          values: mapColumn(values, (value) => value / perStep),
          whole: rate(total),
        })),
        ...before,
      ]}
      kind="stack"
      unit={unit}
      leastTop={leastTop}
      arrived={arrivedOf(series)}
      {...(height && { height })}
    />
  );
}

function comparedLine(
  series: CallSeriesAnswer,
  compared: CallSeriesAnswer | null,
  valuesOf: (answer: CallSeriesAnswer) => Column,
  whole: number | null,
): ChartSeries[] {
  if (comparison.value === "none" || compared === null) return [];
  const columns = { ...plotColumns(compared), cols: { value: valuesOf(compared) } };
  const values = alignedColumn(plotColumns(series), columns, "value");
  return [
    { key: "compared", label: t(`cmp.${comparison.value}`), color: "text-3", values, whole, isDashed: true },
  ];
}

function plotColumns({ from, to, t0, stepMs, all }: CallSeriesAnswer): Columns {
  return { from, to, t0, stepMs, cols: all.cols };
}

function arrivedOf({ all }: CallSeriesAnswer): boolean[] {
  return all.cols.calls.map((value) => value !== null);
}

/** The part of the range that has passed. */
function elapsedMs({ from, to }: CallSeriesAnswer): number {
  return Math.max(0, Math.min(to, pageNowMs.value) - from);
}
