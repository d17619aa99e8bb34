import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { lazyPage } from "../app/lazy-page.tsx";
import { link, navigate, replaceParameters, search } from "../app/location.ts";
import { bucketText } from "../app/time-range.ts";
import type { Columns } from "../data/answers.ts";
import { t } from "../i18n/translate.ts";
import { CompletenessChip } from "../ui/completeness-chip.tsx";
import { Icon } from "../ui/icon.tsx";
import { text } from "../ui/number-text.ts";
import { clockText, dayText } from "../ui/time-text.ts";
import { ChartCanvas } from "./chart-canvas.tsx";
import { completenessOf } from "./chart-completeness.ts";
import type { ColorName } from "./colors.ts";
import { csvText, saveText } from "./csv.ts";
import { isolated, isolatedText } from "./isolated.ts";
import { Legend } from "./legend.tsx";
import type { Values } from "./stack.ts";
import { FORMATTERS, type Unit } from "./unit.ts";

const ChartTable = lazyPage(
  async () => (await import("./chart-table.tsx")).ChartTable,
  () => null,
);

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
  /** Names the chart in the URL; without it the title does, which changes with the language. */
  id?: string;
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
  /** A click on a bucket shows the kept traces of its time. */
  tracesOf?: { app: string; action?: string | undefined };
  height?: "tall" | "low";
}

/** A chart over time with heading, legend that carries the values, brush, keyboard cursor, table, CSV and a hidden summary. */
export function TimeChart(props: TimeChartProps): JSX.Element {
  const { title, note, id = title, columns, series, unit, tracesOf, height = "low" } = props;
  const hovered = useSignal<number | null>(null);
  const only = isolated(search.value.get("only"), id, series);
  const format = FORMATTERS[unit];
  const isTable = search.value.get("table") === id;
  const at = isTable ? null : hovered.value;
  const time = at === null ? "" : momentText(columns.t0 + at * columns.stepMs, columns);
  const { ratio, ledger } = completenessOf(columns);
  const save = (): void => {
    const name = `${props.subject}-${title}`.replaceAll(/[^\p{L}\p{N}]+/gu, "-");
    saveText(`${name}.csv`, csvText(columns.t0, columns.stepMs, series));
  };
  const pick = (index: number): void => {
    if (!tracesOf) return;
    const fromMs = columns.t0 + index * columns.stepMs;
    const range = bucketText({ fromMs, toMs: fromMs + columns.stepMs });
    navigate(link({ page: "traces", app: tracesOf.app }, { ...range, action: tracesOf.action ?? null }));
  };
  return (
    <figure class="chart" aria-label={title}>
      <figcaption class="card-head">
        <h2>{title}</h2>
        {note !== undefined && <span class="note">{note}</span>}
        <span class="chart-time">{time}</span>
        <button
          type="button"
          class="quiet"
          aria-pressed={isTable}
          aria-label={t("chart.tableOf", { title })}
          title={t("chart.tableOf", { title })}
          onClick={() => replaceParameters({ table: isTable ? null : id })}
        >
          <Icon name="table" />
        </button>
        <button type="button" class="quiet" onClick={save} aria-label={t("chart.csvOf", { title })}>
          {t("chart.csv")}
        </button>
      </figcaption>
      <Legend
        series={series}
        values={series.map((one) => text(format(at === null ? one.whole : (one.values[at] ?? null))))}
        only={only}
        onIsolate={(key) => {
          const others = search.value.get("only");
          replaceParameters({ only: isolatedText(others, id, key === only ? null : key) });
        }}
      >
        {(height === "tall" || (ratio ?? 1) < 1) && <CompletenessChip ratio={ratio} ledger={ledger} />}
      </Legend>
      {isTable ? (
        <div class={`chart-table chart-table-${height}`} tabIndex={0} role="region" aria-label={title}>
          <ChartTable columns={columns} series={series} unit={unit} />
        </div>
      ) : (
        <ChartCanvas
          {...props}
          height={height}
          only={series.findIndex((one) => one.key === only)}
          onCursor={(index) => (hovered.value = index)}
          onPick={pick}
        />
      )}
      <p class="hidden">{series.map((one) => summaryText(one, unit)).join(" ")}</p>
    </figure>
  );
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
