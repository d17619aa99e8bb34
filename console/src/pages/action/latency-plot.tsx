import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { noteReading } from "../../app/refresh.ts";
import { theme } from "../../app/theme.ts";
import { currentPalette } from "../../chart/colors.ts";
import type { HeatmapAnswer, TraceRow } from "../../data/answers.ts";
import { language, t } from "../../i18n/translate.ts";
import { drawBox, drawCells, drawFrame, drawPoints } from "./latency-drawing.ts";
import { type Cell, LatencyScale } from "./latency-scale.ts";
import type { Selected } from "./selection-text.ts";
import "../../i18n/en/latency.ts";

interface LatencyPlotProps {
  map: HeatmapAnswer;
  /** Instead of the counts. */
  traces: readonly TraceRow[] | null;
  selected: Selected | null;
  onSelect: (selected: Selected | null) => void;
  onCursor: (cell: Cell | null) => void;
}

/** The drawing: a dragged or keyed rectangle of whole cells is the selection. */
export function LatencyPlot(props: LatencyPlotProps): JSX.Element {
  const { map, traces, selected, onSelect, onCursor } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  /** Where the rectangle began, and where the cursor is. */
  const [anchor, setAnchor] = useState<Cell | null>(null);
  const [cursor, setCursor] = useState<Cell | null>(null);
  const scale = useMemo(() => new LatencyScale(map, size.width, size.height), [map, size]);

  useEffect(() => {
    const element = canvas.current;
    if (!element) return undefined;
    const sized = new ResizeObserver(() =>
      setSize({ width: element.clientWidth, height: element.clientHeight }),
    );
    sized.observe(element);
    return () => sized.disconnect();
  }, []);

  useEffect(() => {
    const ctx = canvas.current?.getContext("2d");
    if (!canvas.current || !ctx || size.width === 0) return;
    const { devicePixelRatio: ratio } = window;
    canvas.current.width = size.width * ratio;
    canvas.current.height = size.height * ratio;
    ctx.scale(ratio, ratio);
    const palette = currentPalette();
    drawFrame(ctx, scale, map, palette);
    if (traces === null) drawCells(ctx, scale, map, palette);
    else drawPoints(ctx, scale, traces, palette);
    if (anchor && cursor) drawBox(ctx, scale.boxOf(anchor, cursor), palette("accent"), true);
    else if (selected) drawBox(ctx, scale.boxOfSelected(selected), palette("accent"), true);
    if (cursor) drawBox(ctx, scale.boxOf(cursor), palette("text-2"), false);
  }, [scale, map, traces, selected, anchor, cursor, theme.value, language.value]);

  const show = (cell: Cell | null): void => {
    if (cell) noteReading();
    if (cell && cell.column === cursor?.column && cell.row === cursor.row) return;
    setCursor(cell);
    onCursor(cell);
  };
  const cellOf = (event: PointerEvent): Cell => scale.cellAt(event.offsetX, event.offsetY);
  const finish = (end: Cell | null): void => {
    if (anchor && end) onSelect(scale.selected(anchor, end));
    setAnchor(null);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const last = { column: scale.columns - 1, row: map.rows.length - 1 };
    const next = movedCell(event.key, cursor, last);
    if (next !== null) {
      setAnchor(event.shiftKey ? (anchor ?? cursor ?? next) : null);
      show(next);
    } else if (event.key === "Enter" && cursor) {
      onSelect(scale.selected(anchor ?? cursor, cursor));
      setAnchor(null);
    } else if (event.key === "Escape" && (cursor || selected)) {
      setAnchor(null);
      show(null);
      onSelect(null);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <canvas
      ref={canvas}
      class="latency-plot"
      tabIndex={0}
      role="img"
      aria-label={`${t("latency.title")}. ${t("latency.keys")}`}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        canvas.current?.setPointerCapture(event.pointerId);
        setAnchor(cellOf(event));
        show(cellOf(event));
      }}
      onPointerMove={(event) => show(cellOf(event))}
      onPointerUp={(event) => finish(cellOf(event))}
      onPointerCancel={() => finish(null)}
      onPointerLeave={() => anchor === null && show(null)}
      onKeyDown={onKeyDown}
      onBlur={() => {
        setAnchor(null);
        show(null);
      }}
    />
  );
}

/** Where a key moves the cursor to, from the newest and fastest cell at first; null for other keys. */
function movedCell(key: string, from: Cell | null, last: Cell): Cell | null {
  const steps: Readonly<Record<string, [number, number]>> = {
    ArrowLeft: [-1, 0],
    ArrowRight: [1, 0],
    ArrowUp: [0, 1],
    ArrowDown: [0, -1],
  };
  const step = steps[key];
  if (step === undefined) return null;
  if (from === null) return { column: last.column, row: 0 };
  const within = (value: number, most: number): number => Math.max(0, Math.min(most, value));
  return { column: within(from.column + step[0], last.column), row: within(from.row + step[1], last.row) };
}
