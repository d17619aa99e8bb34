import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { changedLink, pageRange, replaceParameters, search } from "../../app/location.ts";
import { choice } from "../../app/url-state.ts";
import { saveText } from "../../chart/csv.ts";
import type { HeatmapAnswer, TracesAnswer } from "../../data/answers.ts";
import { apiPaths } from "../../data/paths.ts";
import { useAnswer } from "../../data/use-answer.ts";
import { t } from "../../i18n/translate.ts";
import { Card } from "../../ui/card.tsx";
import { count, text } from "../../ui/number-text.ts";
import { Answered, Empty } from "../../ui/states.tsx";
import { Tabs } from "../../ui/tabs.tsx";
import { rangeSpanText } from "../../ui/time-text.ts";
import { durationsText } from "./durations-text.ts";
import { LatencyPlot } from "./latency-plot.tsx";
import type { Cell } from "./latency-scale.ts";
import { parseSelection, selectionText } from "./selection-text.ts";
import { WhatDiffers } from "./what-differs.tsx";
import "../../i18n/en/latency.ts";

const VIEWS = ["heat", "traces"] as const;
const MOST_TRACES = 500;

/** Requests over time and duration; what is selected in it is compared with the rest below. */
export function LatencyCard({ app, action }: { app: string; action: string }): JSX.Element {
  const range = pageRange.value;
  const view = choice(search.value, "view", VIEWS);
  const selected = parseSelection(search.value.get("sel"));
  const map = useAnswer<HeatmapAnswer>(apiPaths.heatmap(app, action), range);
  const tracesPath = apiPaths.traces(app, { action, sort: "slowest", error: false, limit: MOST_TRACES });
  const traces = useAnswer<TracesAnswer>(view === "traces" ? tracesPath : null, range);
  const cursor = useSignal<Cell | null>(null);
  const tab = (one: (typeof VIEWS)[number]) => ({
    label: t(`latency.view.${one}`),
    href: changedLink({ view: one === VIEWS[0] ? null : one }),
    isCurrent: one === view,
  });
  return (
    <Card
      title={t("latency.title")}
      note={t(view === "heat" ? "latency.note" : "latency.tracesNote", { count: MOST_TRACES })}
      aside={<Tabs label={t("latency.title")} tabs={VIEWS.map(tab)} />}
    >
      <Answered answer={map} size="chart-tall">
        {(data) =>
          data.rows.length === 0 ? (
            <Empty title={t("state.noTraffic")} />
          ) : (
            <>
              <p class="latency-read">
                <span aria-live="polite">{cellText(data, cursor.value)}</span>
                <HeatLegend map={data} />
                <button
                  type="button"
                  class="quiet"
                  aria-label={t("chart.csvOf", { title: t("latency.title") })}
                  onClick={() => saveText(`${app}-${action}-latency.csv`, cellsCsv(data))}
                >
                  {t("chart.csv")}
                </button>
              </p>
              <LatencyPlot
                map={data}
                traces={view === "heat" ? null : (traces.data?.traces ?? [])}
                selected={selected}
                onCursor={(cell) => (cursor.value = cell)}
                onSelect={(one) => replaceParameters({ sel: one && selectionText(one) })}
              />
            </>
          )
        }
      </Answered>
      {selected && <WhatDiffers app={app} action={action} selected={selected} />}
    </Card>
  );
}

/** What the cell under the cursor holds, or how to use the drawing. */
function cellText(map: HeatmapAnswer, cell: Cell | null): string {
  if (cell === null) return t("latency.hint", { count: text(count(map.requests)) });
  const { cells, rows, t0, stepMs } = map;
  const index = cells.column.findIndex((column, i) => column === cell.column && cells.row[i] === cell.row);
  const row = rows[cell.row];
  const fromMs = t0 + cell.column * stepMs;
  const isKnown = map.reported[cell.column] === true;
  return t("latency.cell", {
    time: rangeSpanText(fromMs, fromMs + stepMs),
    duration: durationsText(row?.fromMs ?? 0, row?.toMs ?? null),
    requests: isKnown ? t("metric.requestCount", { count: cells.requests[index] ?? 0 }) : t("state.noData"),
  });
}

/** The seven colours from one request to the most of a cell. */
function HeatLegend({ map }: { map: HeatmapAnswer }): JSX.Element {
  return (
    <span class="heat-legend" aria-hidden="true">
      1
      {Array.from({ length: 7 }, (_, i) => (
        <i key={i} class={`fill-heat-${i}`} />
      ))}
      {text(count(Math.max(1, ...map.cells.requests)))}
    </span>
  );
}

function cellsCsv({ t0, stepMs, rows, cells }: HeatmapAnswer): string {
  const lines = cells.requests.map((requests, i) => {
    const row = rows[cells.row[i] ?? 0];
    const time = new Date(t0 + (cells.column[i] ?? 0) * stepMs).toISOString();
    return [time, row?.fromMs ?? "", row?.toMs ?? "", requests].join(",");
  });
  return `${["time,above_ms,up_to_ms,requests", ...lines].join("\r\n")}\r\n`;
}
