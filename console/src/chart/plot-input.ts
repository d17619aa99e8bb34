import { pageNowMs } from "../app/location.ts";
import { closedUntilMs } from "../app/refresh.ts";
import { t } from "../i18n/translate.ts";
import { APDEX_BORDERS } from "../ui/apdex-grade.ts";
import { completenessOf, partialRuns } from "./chart-completeness.ts";
import { endMarks } from "./end-marks.ts";
import { missingRuns } from "./stack.ts";
import type { TimeChartProps } from "./time-chart.tsx";
import type { PlotData, PlotShape } from "./time-plot.ts";

/** The newest numbers are on their way for so long; what is missing then is lost. */
const GRACE_MS = 30_000;

/** What a chart's properties mean for its plot, as far as data do not change it. */
export function shapeOf(props: TimeChartProps): PlotShape {
  return {
    kind: props.kind,
    unit: props.unit,
    isLog: props.isLog ?? false,
    top: props.top ?? null,
    leastTop: props.leastTop ?? 0,
    gradeWords: props.showsGrades ? APDEX_BORDERS.map((border) => t(`grade.${border.grade}`)) : null,
    series: props.series.map((one, index) => ({
      key: one.key,
      color: one.color,
      isDashed: one.isDashed ?? false,
      layer: one.layer ?? index,
    })),
  };
}

/** Runs of buckets in which nothing arrived, between the first that did and now. */
export function missingSoFar(
  { t0, stepMs }: { t0: number; stepMs: number },
  arrived: readonly boolean[],
  nowMs: number,
): [number, number][] {
  const soFar = arrived.slice(0, Math.max(0, Math.ceil((nowMs - t0) / stepMs)));
  return missingRuns(soFar, Math.ceil(GRACE_MS / stepMs));
}

/** The data of a chart's properties, with what is known to be missing and what is still filling. */
export function dataOf({ columns, series, arrived }: TimeChartProps): PlotData {
  const { t0, stepMs, isLive = false } = columns;
  const nowMs = isLive ? columns.to : pageNowMs.value;
  const closedMs = isLive ? columns.to : closedUntilMs();
  const closed = Math.max(0, Math.floor((closedMs - t0) / stepMs));
  return {
    range: { fromMs: columns.from, toMs: columns.to },
    t0,
    stepMs,
    isLive,
    values: series.map((one) => one.values),
    missing: missingSoFar(columns, arrived, nowMs),
    partial: partialRuns(completenessOf(columns).ratios),
    fillingFrom: closed < arrived.length ? closed : null,
    marks: endMarks.value,
  };
}
