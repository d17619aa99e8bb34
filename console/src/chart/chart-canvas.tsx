import type { JSX } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { pageNowMs, showRange } from "../app/location.ts";
import { noteReading, stopReading } from "../app/refresh.ts";
import { theme } from "../app/theme.ts";
import { type Range, rangeText } from "../app/time-range.ts";
import { language, t } from "../i18n/translate.ts";
import { shownZone } from "../ui/zone.ts";
import { ChartKeys } from "./chart-keys.ts";
import { currentPalette } from "./colors.ts";
import { endMarks } from "./end-marks.ts";
import { dataOf, shapeOf } from "./plot-input.ts";
import type { TimeChartProps } from "./time-chart.tsx";
import { TimePlot } from "./time-plot.ts";
import { TouchSelection } from "./touch-selection.ts";

type CanvasProps = TimeChartProps & {
  /** Place of the series that is shown alone, -1 for all. */
  only: number;
  onCursor: (index: number | null) => void;
  /** The bucket that was clicked. */
  onPick: (index: number) => void;
};

/** The drawing itself: created when it first comes into view, drawn again with new data, destroyed with the page. */
export function ChartCanvas(props: CanvasProps): JSX.Element {
  const target = useRef<HTMLDivElement>(null);
  const plot = useRef<TimePlot | null>(null);
  const shape = shapeOf(props);
  const shapeKey = JSON.stringify([shape, theme.value, language.value, shownZone.value]);
  const data = useMemo(() => dataOf(props), [props.columns, props.series, pageNowMs.value, endMarks.value]);
  const only = props.only < 0 ? null : props.only;
  const latest = useRef({ data, only, props });
  latest.current = { data, only, props };
  const keys = useMemo(() => new ChartKeys(), []);
  const touch = useMemo(() => new TouchSelection(zoomTo), []);

  useEffect(() => {
    const element = target.current;
    if (!element) return undefined;
    const create = (): void => {
      const handlers = {
        onCursor: (index: number | null): void => {
          keys.index = index;
          if (index === null) stopReading();
          else noteReading();
          latest.current.props.onCursor(index);
        },
        onZoom: zoomTo,
        onPick: (index: number): void => latest.current.props.onPick(index),
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
      touch.cancel();
      stopReading();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [shapeKey]);

  useEffect(() => plot.current?.draw(data, only), [data, only]);

  return (
    <div
      ref={target}
      class={`plot plot-${props.height ?? "low"}${props.tracesOf ? " plot-pick" : ""}`}
      tabIndex={0}
      role="img"
      aria-label={`${props.title}. ${t("chart.keys")}`}
      onKeyDown={(event) => {
        if (plot.current && keys.handle(event, plot.current, data, props.onPick)) event.preventDefault();
      }}
      onMouseDown={(event) => event.preventDefault()}
      onBlur={() => plot.current?.moveCursor(null)}
      onTouchStart={(event) => plot.current && touch.start(event, plot.current)}
      onTouchMove={(event) => plot.current && touch.move(event, plot.current)}
      onTouchEnd={(event) => plot.current && touch.end(event, plot.current)}
      onTouchCancel={() => touch.cancel()}
      onContextMenu={(event) => touch.isSelecting && event.preventDefault()}
    />
  );
}

function zoomTo(range: Range): void {
  showRange(rangeText(range), true);
}
