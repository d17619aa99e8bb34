import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { pageNowMs, showRange } from "../app/location.ts";
import { closedUntilMs, noteReading } from "../app/refresh.ts";
import { theme } from "../app/theme.ts";
import { rangeText } from "../app/time-range.ts";
import type { Columns } from "../data/answers.ts";
import { language, t } from "../i18n/translate.ts";
import { APDEX_BORDERS } from "../ui/apdex-grade.ts";
import { text } from "../ui/number-text.ts";
import { clockText, dayText } from "../ui/time-text.ts";
import { ChartKeys } from "./chart-keys.ts";
import { type ColorName, currentPalette } from "./colors.ts";
import { csvText, saveText } from "./csv.ts";
import { endMarks } from "./end-marks.ts";
import { Legend } from "./legend.tsx";
import { missingRuns, type Values } from "./stack.ts";
import { type PlotData, type PlotShape, TimePlot } from "./time-plot.ts";
import { FORMATTERS, type Unit } from "./unit.ts";

export interface ChartSeries {
  key: string;
  label: string;
  color: ColorName;
  values: Values;
  /** The legend's number while no cursor is on the page: that of the whole range. */
  whole: number | null;
  isDashed?: boolean;
  /** Place in a stack, 0 is the bottom; without it the place in the list. */
  layer?: number;
}

export interface TimeChartProps {
  title: string;
  note?: string;
  /** What the chart belongs to, for the file name of its CSV. */
  subject: string;
  columns: Columns;
  series: ChartSeries[];
  kind: "lines" | "stack";
  unit: Unit;
  isLog?: boolean;
  top?: number;
  leastTop?: number;
  showsGrades?: boolean;
  /** Whether anything arrived in each bucket; what did not is hatched. */
  arrived: boolean[];
  height?: "tall" | "low";
}

/** A chart over time with heading, legend that carries the values, brush, keyboard cursor, CSV and a hidden summary. */
export function TimeChart(props: TimeChartProps): JSX.Element {
  const { title, note, columns, series, unit, height = "low" } = props;
  const hovered = useSignal<number | null>(null);
  const [only, setOnly] = useState<string | null>(null);
  const format = FORMATTERS[unit];
  const hoveredMs = hovered.value === null ? null : columns.t0 + hovered.value * columns.stepMs;
  const time = hoveredMs === null ? t("time.wholeRange") : momentText(hoveredMs, columns);
  const save = (): void => {
    const name = `${props.subject}-${title}`.replaceAll(/[^\p{L}\p{N}]+/gu, "-");
    saveText(`${name}.csv`, csvText(columns.t0, columns.stepMs, series));
  };
  return (
    <figure class="chart" aria-label={title}>
      <figcaption class="card-head">
        <h2>{title}</h2>
        {note !== undefined && <span class="note">{note}</span>}
        <span class="chart-time">{time}</span>
        <button type="button" class="quiet" onClick={save} aria-label={t("chart.csvOf", { title })}>
          {t("chart.csv")}
        </button>
      </figcaption>
      <Legend
        series={series}
        values={series.map((one) =>
          text(format(hovered.value === null ? one.whole : (one.values[hovered.value] ?? null))),
        )}
        only={only}
        onIsolate={(key) => setOnly(key === only ? null : key)}
      />
      <Canvas
        {...props}
        height={height}
        only={series.findIndex((one) => one.key === only)}
        onCursor={(index) => (hovered.value = index)}
      />
      <p class="hidden">{series.map((one) => summaryText(one, unit)).join(" ")}</p>
    </figure>
  );
}

type CanvasProps = TimeChartProps & { only: number; onCursor: (index: number | null) => void };

/** The drawing itself: created when it first comes into view, drawn again with new data, destroyed with the page. */
function Canvas(props: CanvasProps): JSX.Element {
  const target = useRef<HTMLDivElement>(null);
  const plot = useRef<TimePlot | null>(null);
  const shape = shapeOf(props);
  const shapeKey = JSON.stringify([shape, theme.value, language.value]);
  const data = useMemo(() => dataOf(props), [props.columns, props.series, pageNowMs.value, endMarks.value]);
  const only = props.only < 0 ? null : props.only;
  const latest = useRef({ data, only, onCursor: props.onCursor });
  latest.current = { data, only, onCursor: props.onCursor };
  const keys = useMemo(() => new ChartKeys(), []);

  useEffect(() => {
    const element = target.current;
    if (!element) return undefined;
    const create = (): void => {
      const handlers = {
        onCursor: (index: number | null): void => {
          keys.index = index;
          if (index !== null) noteReading();
          latest.current.onCursor(index);
        },
        onZoom: (range: { fromMs: number; toMs: number }): void => showRange(rangeText(range), true),
      };
      plot.current = new TimePlot(element, shape, latest.current.data, currentPalette(), handlers);
      plot.current.draw(latest.current.data, latest.current.only);
    };
    const seen = new IntersectionObserver(
      (entries) => {
        if (plot.current || !entries.some((entry) => entry.isIntersecting)) return;
        create();
      },
      { rootMargin: "300px" },
    );
    seen.observe(element);
    const sized = new ResizeObserver(() => plot.current?.resize(element.clientWidth, element.clientHeight));
    sized.observe(element);
    void document.fonts.ready.then(() => plot.current?.redraw());
    return () => {
      seen.disconnect();
      sized.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [shapeKey]);

  useEffect(() => plot.current?.draw(data, only), [data, only]);

  return (
    <div
      ref={target}
      class={`plot plot-${props.height ?? "low"}`}
      tabIndex={0}
      role="img"
      aria-label={`${props.title}. ${t("chart.keys")}`}
      onKeyDown={(event) => {
        if (plot.current && keys.handle(event, plot.current, data)) event.preventDefault();
      }}
      onMouseDown={(event) => event.preventDefault()}
      onBlur={() => plot.current?.moveCursor(null)}
      onTouchMove={(event) => touchCursor(event, plot.current)}
    />
  );
}

/** A finger has no hover: dragging it along the chart moves the cursor. */
function touchCursor(event: TouchEvent, plot: TimePlot | null): void {
  const touch = event.touches[0];
  if (!touch || !plot || event.touches.length > 1) return;
  plot.over.dispatchEvent(new MouseEvent("mousemove", { clientX: touch.clientX, clientY: touch.clientY }));
}

function shapeOf(props: TimeChartProps): PlotShape {
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

function dataOf({ columns, series, arrived }: TimeChartProps): PlotData {
  const { t0, stepMs } = columns;
  const closed = Math.max(0, Math.floor((closedUntilMs() - t0) / stepMs));
  const graceLength = Math.ceil(30_000 / stepMs);
  const soFar = arrived.slice(0, Math.max(0, Math.ceil((pageNowMs.value - t0) / stepMs)));
  return {
    range: { fromMs: columns.from, toMs: columns.to },
    t0,
    stepMs,
    values: series.map((one) => one.values),
    missing: missingRuns(soFar, graceLength),
    fillingFrom: closed < arrived.length ? closed : null,
    marks: endMarks.value,
  };
}

function momentText(unixMs: number, columns: Columns): string {
  const isLong = columns.to - columns.from > 86_400_000;
  return isLong ? `${dayText(unixMs)} ${clockText(unixMs)}` : clockText(unixMs);
}

function summaryText(series: ChartSeries, unit: Unit): string {
  const known = series.values.filter((value) => value !== null);
  if (known.length === 0) return t("chart.summaryEmpty", { series: series.label });
  const format = FORMATTERS[unit];
  return t("chart.summary", {
    series: series.label,
    low: text(format(Math.min(...known))),
    high: text(format(Math.max(...known))),
    newest: text(format(known.at(-1))),
  });
}
