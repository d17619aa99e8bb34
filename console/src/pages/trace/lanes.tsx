import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { HostLaneAnswer } from "../../data/answers.ts";
import { t } from "../../i18n/translate.ts";
import { count, duration, type Formatter, percent, text } from "../../ui/number-text.ts";
import { clockText } from "../../ui/time-text.ts";
import { type Bounds, barsPath, placeIn, secondMarks, VIEW_HEIGHT } from "./lane-axis.ts";
import { highestIn, type LaneRow, laneRows, touchedSteps, usualBefore } from "./lane-rows.ts";
import "../../i18n/en/trace.ts";

const FORMATTERS: Readonly<Record<LaneRow["unit"], Formatter>> = {
  ratio: percent,
  count,
  ms: duration,
};
const MOST_MARKS = 8;
const MOST_MARKS_NARROW = 4;
/** Steps of this length are all that is left of the seconds. */
const COARSE_MS = 60_000;
/** A label this near to the end of the axis would be cut. */
const LABEL_ROOM = 0.08;

interface LanesProps {
  lane: HostLaneAnswer;
  /** What the axis shows. */
  bounds: Bounds;
  /** The request. */
  startMs: number;
  endMs: number;
  label: string;
  /** Whether the request's own seconds stand out, because the axis shows more than them. */
  marksRequest: boolean;
}

/**
 * Measures of a host and process by the second, a row each, on the waterfall's columns. The row's text is the highest
 * value of the request's seconds beside what was usual before, or, under the cursor, that of one second.
 */
export function Lanes(props: LanesProps): JSX.Element {
  const { lane, bounds, startMs, endMs, label } = props;
  const cursor = useSignal<number | null>(null);
  const rows = useMemo(() => laneRows(lane), [lane]);
  const { t0, stepMs } = lane;
  const request = touchedSteps(lane, startMs, endMs);
  const shown = touchedSteps(lane, bounds.fromMs, bounds.toMs);
  const pointed = cursor.value === null ? null : { first: cursor.value, last: cursor.value };
  const point = (event: PointerEvent): void => {
    const column = (event.currentTarget as HTMLElement).querySelector(".lane");
    const box = column?.getBoundingClientRect();
    if (!box || event.clientX < box.left || event.clientX > box.right) {
      cursor.value = null;
      return;
    }
    const ms = bounds.fromMs + ((event.clientX - box.left) / box.width) * (bounds.toMs - bounds.fromMs);
    cursor.value = Math.floor((ms - t0) / stepMs);
  };
  const move = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (event.key === "Escape") cursor.value = null;
    if (step === 0) return;
    event.preventDefault();
    const next = cursor.value === null ? request.first : cursor.value + step;
    cursor.value = Math.min(Math.max(next, shown.first), shown.last);
  };
  return (
    <div
      class="lanes"
      role="group"
      aria-label={`${label}. ${t("trace.laneKeys")}`}
      tabIndex={0}
      onPointerMove={point}
      onPointerLeave={() => (cursor.value = null)}
      onKeyDown={move}
      onBlur={() => (cursor.value = null)}
    >
      {stepMs >= COARSE_MS && <p class="note">{t("trace.laneCoarse", { span: text(duration(stepMs)) })}</p>}
      <SecondAxis bounds={bounds} pointedMs={pointed && t0 + pointed.first * stepMs} />
      {rows.map((row) => (
        <div key={row.key} class="lane-row">
          <span class="lane-name">
            <span>{t(`trace.lane.${row.key}`)}</span>{" "}
            <span class="lane-value" aria-live={cursor.value === null ? undefined : "polite"}>
              {rowText(row, props, cursor.value)}
            </span>
          </span>
          <span class="lane">
            <Bars row={row} lane={lane} bounds={bounds} />
            {props.marksRequest && <Band class="lane-request" bounds={bounds} steps={request} lane={lane} />}
            {pointed !== null && <Band class="lane-cursor" bounds={bounds} steps={pointed} lane={lane} />}
          </span>
        </div>
      ))}
      <Busiest lane={lane} bounds={bounds} />
    </div>
  );
}

function rowText(row: LaneRow, { lane, startMs, endMs }: LanesProps, cursor: number | null): JSX.Element {
  const shown = (value: number | null): string => text(FORMATTERS[row.unit](value));
  if (cursor !== null) return <b>{shown(row.values[cursor] ?? null)}</b>;
  const usual = usualBefore(row.values, lane, startMs);
  return (
    <>
      <b>{shown(highestIn(row.values, lane, startMs, endMs))}</b>{" "}
      {usual !== null && <span class="note">{t("trace.laneUsual", { usual: shown(usual) })}</span>}
    </>
  );
}

function SecondAxis(props: { bounds: Bounds; pointedMs: number | null }): JSX.Element {
  const { bounds, pointedMs } = props;
  const isNarrow = window.matchMedia("(max-width: 700px)").matches;
  const lastMs = bounds.toMs - (bounds.toMs - bounds.fromMs) * (isNarrow ? 2 * LABEL_ROOM : LABEL_ROOM);
  const marks = secondMarks(bounds, isNarrow ? MOST_MARKS_NARROW : MOST_MARKS).filter((ms) => ms <= lastMs);
  return (
    <div class="waterfall-axis lane-axis" aria-hidden="true">
      <span>{pointedMs !== null && clockText(pointedMs)}</span>
      <span class="lane">
        {marks.map((mark) => (
          <i key={mark} style={{ left: placeIn(bounds, mark, bounds.toMs)?.left ?? "100%" }}>
            {clockText(mark)}
          </i>
        ))}
      </span>
    </div>
  );
}

function Bars(props: { row: LaneRow; lane: HostLaneAnswer; bounds: Bounds }): JSX.Element {
  const { row, lane, bounds } = props;
  const paths = useMemo(() => {
    const below = row.values.map(() => 0);
    return row.layers.map(({ color, heights }) => {
      const path = barsPath(bounds, lane, heights, below);
      for (const [i, height] of heights.entries()) below[i] = (below[i] ?? 0) + (height ?? 0);
      return { color, path };
    });
  }, [row, lane, bounds.fromMs, bounds.toMs]);
  return (
    <>
      <svg
        class="lane-bars"
        viewBox={`0 0 1000 ${VIEW_HEIGHT}`}
        preserveAspectRatio="none"
        aria-hidden="true"
      >
        {paths.map(({ color, path }) => (
          <path key={color} class={`lane-fill-${color}`} d={path} />
        ))}
      </svg>
      {row.missing.map(([first, end]) => (
        <Band
          key={first}
          class="hatched"
          bounds={bounds}
          steps={{ first, last: end - 1 }}
          lane={lane}
          title={t("trace.laneMissing")}
        />
      ))}
    </>
  );
}

function Band(props: {
  class: string;
  bounds: Bounds;
  steps: { first: number; last: number };
  lane: { t0: number; stepMs: number };
  title?: string;
}): JSX.Element | null {
  const { steps, lane } = props;
  const place = placeIn(
    props.bounds,
    lane.t0 + steps.first * lane.stepMs,
    lane.t0 + (steps.last + 1) * lane.stepMs,
  );
  return place && <i class={props.class} style={place} title={props.title} />;
}

/** The process of others that used most CPU time, as the host's ten-second snapshots say it. */
function Busiest({ lane, bounds }: { lane: HostLaneAnswer; bounds: Bounds }): JSX.Element | null {
  if (lane.busiest === null)
    return (
      <div class="lane-row">
        <span class="lane-name">
          <span>{t("trace.lane.busiest")}</span> <span class="note">{t("trace.laneNotKept")}</span>
        </span>
      </div>
    );
  const seen = lane.busiest.filter(({ from, to }) => placeIn(bounds, from, to) !== null);
  if (seen.length === 0) return null;
  return (
    <div class="lane-row">
      <span class="lane-name">
        <span>{t("trace.lane.busiest")}</span> <span class="note">{t("trace.laneBusiestNote")}</span>
      </span>
      <span class="lane">
        {seen.map(({ from, to, pid, command, cpuRatio }) => {
          const title = `${command} (pid ${pid}) ${text(percent(cpuRatio))}`;
          return (
            <span key={from} class="lane-process" style={placeIn(bounds, from, to) ?? {}} title={title}>
              <span>
                {text(percent(cpuRatio))} {command}
              </span>
            </span>
          );
        })}
      </span>
    </div>
  );
}
