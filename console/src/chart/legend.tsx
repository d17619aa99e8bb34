import type { ComponentChildren, JSX } from "preact";
import { t } from "../i18n/translate.ts";
import type { ColorName } from "./colors.ts";

interface LegendSeries {
  key: string;
  label: string;
  color: ColorName;
  isDashed?: boolean;
}

/** The legend row: it carries the values at the cursor, so no box ever hides the chart. A click shows one series alone. */
export function Legend(props: {
  series: LegendSeries[];
  values: string[];
  only: string | null;
  onIsolate: (key: string) => void;
  children?: ComponentChildren;
}): JSX.Element {
  const { series, values, only, onIsolate } = props;
  return (
    <div class="legend">
      {series.map((one, index) => (
        <button
          type="button"
          key={one.key}
          class={only === null || only === one.key ? "legend-item" : "legend-item legend-off"}
          aria-pressed={only === one.key}
          title={t("chart.isolate", { series: one.label })}
          onClick={() => onIsolate(one.key)}
        >
          <i class={one.isDashed ? "swatch swatch-dashed" : `swatch fill-${one.color}`} aria-hidden="true" />
          <span>{one.label}</span>
          <b>{values[index]}</b>
        </button>
      ))}
      {props.children}
    </div>
  );
}
