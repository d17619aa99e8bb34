import type { JSX } from "preact";
import { alignedColumn, comparison } from "../../app/comparison.ts";
import { pageNowMs } from "../../app/location.ts";
import { type ChartSeries, TimeChart } from "../../chart/time-chart.tsx";
import type { Column, Columns, ErrorSeriesAnswer } from "../../data/answers.ts";
import { mapColumn, sumColumns } from "../../data/columns.ts";
import { t } from "../../i18n/translate.ts";
import { errorLayers } from "./error-layers.ts";
import "../../i18n/en/errors.ts";

/** Errors per minute by their class, stacked. */
export function ErrorChart(props: {
  app: string;
  series: ErrorSeriesAnswer;
  compared: ErrorSeriesAnswer | null;
}): JSX.Element {
  const { app, series, compared } = props;
  const { layers, rest } = errorLayers(series);
  const columns = plotColumns(series);
  const perStep = series.stepMs / 60_000;
  const knownFrom = Math.max(series.from, series.keptFrom ?? 0);
  const minutes = Math.max(0, Math.min(series.to, pageNowMs.value) - knownFrom) / 60_000;
  const rate = (count: number | null): number | null =>
    count !== null && minutes > 0 ? count / minutes : null;
  const perMinute = (values: Column): Column => mapColumn(values, (value) => value / perStep);
  const stacked: ChartSeries[] = layers.map(({ type, color, count, values }) => ({
    key: type,
    label: type,
    color,
    values: perMinute(values),
    whole: rate(count),
  }));
  if (rest !== null)
    stacked.push({
      key: "(others)",
      label: t("errors.others", { count: rest.types }),
      color: "queue",
      values: perMinute(rest.values),
      whole: rate(rest.count),
    });
  if (comparison.value !== "none" && compared !== null)
    stacked.push({
      key: "compared",
      label: t(`cmp.${comparison.value}`),
      color: "text-3",
      values: perMinute(alignedColumn(columns, plotColumns(compared), "all")),
      whole: rate(compared.count),
      isDashed: true,
    });
  return (
    <TimeChart
      id="errors"
      subject={app}
      title={t("errors.classes")}
      note={t("errors.perMinute")}
      columns={columns}
      series={stacked}
      kind="stack"
      unit="count"
      leastTop={1}
      arrived={columns.cols["all"]?.map((value) => value !== null) ?? []}
      height="tall"
      tracesOf={{ app }}
    />
  );
}

function plotColumns({ from, to, t0, stepMs, types, others }: ErrorSeriesAnswer): Columns {
  const all = sumColumns([...types, ...(others ? [others] : [])].map(({ values }) => values));
  return { from, to, t0, stepMs, cols: { all } };
}
