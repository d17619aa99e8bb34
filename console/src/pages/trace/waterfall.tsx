import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { TraceAnswer, TraceSpan } from "../../data/answers.ts";
import { t } from "../../i18n/translate.ts";
import { duration, text } from "../../ui/number-text.ts";
import { criticalPath } from "./critical-path.ts";
import { type MissingRow, withMissing } from "./missing-spans.ts";
import { axisMarks, type Row, spanRows, traceBounds } from "./span-rows.ts";
import "../../i18n/en/trace.ts";
import "../../i18n/en/traces.ts";

/** Rows drawn above and below what can be seen. */
const MARGIN_ROWS = 10;
const DEEPEST_INDENT = 14;

interface WaterfallProps {
  trace: TraceAnswer;
  startMs: number;
  endMs: number;
  selected: string | null;
  onSelect: (spanId: string) => void;
}

/** Spans as bars on one time axis; only the rows in view exist, so thousands of spans stay fast. */
export function Waterfall({ trace, startMs, endMs, selected, onSelect }: WaterfallProps): JSX.Element {
  const [unfolded, setUnfolded] = useState<ReadonlySet<string>>(new Set());
  const { spans } = trace;
  const rows = useMemo(() => withMissing(spanRows(spans, unfolded), trace), [trace, unfolded]);
  const path = useMemo(() => criticalPath(spans), [trace]);
  const frame = useRef<HTMLDivElement>(null);
  const view = useVisibleRows(frame, rows.length);
  const choose = (row: Row): void => {
    if (row.type === "span") onSelect(row.span.spanId);
    else setUnfolded(new Set([...unfolded, row.key]));
  };
  const move = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const next = neighbourSpan(rows, selected, step);
    if (next < 0) return;
    onSelect(rows[next]?.key ?? "");
    view.reveal(next);
  };
  const lengthMs = endMs - startMs || 1;
  const visible = rows.slice(view.first, view.last);
  return (
    <div class="waterfall" onKeyDown={move}>
      <Axis lengthMs={lengthMs} />
      <div
        class="waterfall-frame"
        ref={frame}
        onScroll={view.update}
        role="list"
        aria-label={t("trace.waterfall")}
      >
        <div style={{ height: `${view.first * view.rowHeight}px` }} />
        {visible.map((row) =>
          row.type === "missing" ? (
            <MissingSpans key={row.key} row={row} />
          ) : (
            <WaterfallRow
              key={row.key}
              row={row}
              startMs={startMs}
              lengthMs={lengthMs}
              isSelected={row.key === selected}
              isCritical={isOnPath(row, path)}
              onChoose={() => choose(row)}
            />
          ),
        )}
        <div style={{ height: `${Math.max(0, rows.length - view.last) * view.rowHeight}px` }} />
      </div>
    </div>
  );
}

/** A fold is on it when one of its spans is. */
function isOnPath(row: Row, path: ReadonlySet<string>): boolean {
  return row.type === "span" ? path.has(row.span.spanId) : row.spans.some(({ spanId }) => path.has(spanId));
}

/** What did not come, and why, hatched: neither when it was nor how long is known. */
function MissingSpans({ row }: { row: MissingRow }): JSX.Element {
  const reason = t(`trace.missing.${row.reason}`);
  return (
    <div role="listitem" class="waterfall-item">
      <div class="waterfall-row waterfall-missing" title={reason}>
        <span class="waterfall-name" style={{ paddingLeft: indent(row.depth) }}>
          {t("trace.missing", { count: row.count })}
        </span>
        <span class="lane">
          <i class="hatched" aria-hidden="true" />
          <span class="missing-reason">{reason}</span>
        </span>
      </div>
    </div>
  );
}

function indent(depth: number): string {
  return `${8 + Math.min(depth, DEEPEST_INDENT) * 14}px`;
}

/** Position of the next row in that direction that is a span, others left out; -1 without any. */
function neighbourSpan(
  rows: readonly { type: string; key: string }[],
  selected: string | null,
  step: number,
): number {
  let index = rows.findIndex((row) => row.key === selected) + step;
  while (rows[index] && rows[index]?.type !== "span") index += step;
  return rows[index] ? index : -1;
}

interface View {
  first: number;
  last: number;
  rowHeight: number;
  update: () => void;
  reveal: (index: number) => void;
}

function useVisibleRows(frame: { current: HTMLDivElement | null }, count: number): View {
  const top = useSignal(0);
  const height = useSignal(800);
  const isNarrow = window.matchMedia("(max-width: 700px)").matches;
  const rowHeight = isNarrow ? 48 : 30; // the style sheet has the same heights
  const update = (): void => {
    top.value = frame.current?.scrollTop ?? 0;
    height.value = frame.current?.clientHeight ?? 800;
  };
  useEffect(update, [count]);
  const first = Math.max(0, Math.floor(top.value / rowHeight) - MARGIN_ROWS);
  const last = Math.min(
    count,
    Math.ceil((top.value + Math.max(height.value, 800)) / rowHeight) + MARGIN_ROWS,
  );
  const reveal = (index: number): void => {
    const element = frame.current;
    if (!element) return;
    const y = index * rowHeight;
    if (y < element.scrollTop) element.scrollTop = y;
    else if (y + rowHeight > element.scrollTop + element.clientHeight)
      element.scrollTop = y + rowHeight - element.clientHeight;
  };
  return { first, last, rowHeight, update, reveal };
}

function Axis({ lengthMs }: { lengthMs: number }): JSX.Element {
  return (
    <div class="waterfall-axis" aria-hidden="true">
      <span />
      <span class="lane">
        {axisMarks(lengthMs).map((mark) => (
          <i key={mark} style={{ left: `${(mark / lengthMs) * 100}%` }}>
            {text(duration(mark))}
          </i>
        ))}
      </span>
    </div>
  );
}

interface RowProps {
  row: Row;
  startMs: number;
  lengthMs: number;
  isSelected: boolean;
  isCritical: boolean;
  onChoose: () => void;
}

function WaterfallRow({ row, startMs, lengthMs, isSelected, isCritical, onChoose }: RowProps): JSX.Element {
  const facts = factsOf(row);
  const left = ((facts.startMs - startMs) / lengthMs) * 100;
  const width = Math.max(((facts.endMs - facts.startMs) / lengthMs) * 100, 0.15);
  const time = text(duration(facts.durationMs));
  return (
    <div role="listitem" class="waterfall-item">
      <button type="button" class="waterfall-row" aria-pressed={isSelected} onClick={onChoose}>
        <span class="waterfall-name" style={{ paddingLeft: indent(row.depth) }}>
          {facts.hasError && (
            <b class="bad" aria-hidden="true">
              ✕{" "}
            </b>
          )}
          <span class={nameClass(row, isCritical)}>{facts.name}</span>
          <span class="hidden">
            {t(`trace.category.${facts.category}`)} {isCritical && t("trace.critical")}{" "}
            {facts.hasError && t("traces.error")}
          </span>
        </span>
        <span class="lane">
          <i
            class={`bar fill-${colorOf(facts.category)}${row.type === "fold" ? " bar-fold" : ""}${isCritical ? "" : " bar-beside"}${facts.hasError ? " bar-error" : ""}`}
            style={{ left: `${left}%`, width: `${width}%` }}
          />
          <span class="bar-time" style={{ left: `${left + width}%` }}>
            {time}
          </span>
        </span>
      </button>
    </div>
  );
}

function nameClass(row: Row, isCritical: boolean): string {
  return `${row.type === "fold" ? "fold-name" : ""} ${isCritical ? "strong" : ""}`.trim();
}

function factsOf(row: Row) {
  if (row.type === "span") {
    const { name, category, startUnixMs, durationMs, error } = row.span;
    const endMs = startUnixMs + durationMs;
    return {
      name,
      category,
      startMs: startUnixMs,
      endMs,
      durationMs,
      hasError: error,
    };
  }
  const { startMs, endMs } = traceBounds(row.spans);
  const name = t("trace.folded", { count: row.spans.length, name: row.name });
  return {
    name,
    category: row.category,
    startMs,
    endMs,
    durationMs: row.totalMs,
    hasError: row.hasError,
  };
}

/** The colour of a category; everything that runs inside the app has that of its code. */
export function colorOf(category: TraceSpan["category"]): "code" | "database" | "cache" | "external" {
  return category === "database" || category === "cache" || category === "external" ? category : "code";
}
