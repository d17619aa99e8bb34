import type { JSX } from "preact";
import { closedUntilMs } from "../app/refresh.ts";
import type { ColorName } from "./colors.ts";
import { closedValues, type Values } from "./stack.ts";

const WIDTH = 200;
const HEIGHT = 30;

/** A small curve without axes; unknown values are gaps. It repeats what stands beside it, so readers skip it. */
export function Sparkline(props: {
  values: Values;
  /** Start and width of the first value's bucket. */
  buckets: { t0: number; stepMs: number };
  color?: ColorName;
}): JSX.Element {
  const { buckets, color = "code" } = props;
  const values = closedValues(props.values, buckets.t0, buckets.stepMs, closedUntilMs());
  const known = values.filter((value) => value !== null);
  const high = Math.max(...known, 0);
  const low = Math.min(...known, high);
  const y = (value: number): number => HEIGHT - 3 - ((value - low) / (high - low || 1)) * (HEIGHT - 6);
  const x = (index: number): number => (index / Math.max(values.length - 1, 1)) * WIDTH;
  const path = known.length === 0 ? "" : sparkPath(values, x, y);
  return (
    <svg class="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <path d={path} class={`stroke-${color}`} />
    </svg>
  );
}

function sparkPath(values: Values, x: (index: number) => number, y: (value: number) => number): string {
  let path = "";
  values.forEach((value, index) => {
    if (value === null) return;
    const isStart = (values[index - 1] ?? null) === null;
    // A step of no length shows a lone value as a dot, thanks to round caps.
    path += `${isStart ? `M${x(index).toFixed(1)} ${y(value).toFixed(1)}h0` : ""}L${x(index).toFixed(1)} ${y(value).toFixed(1)}`;
  });
  return path;
}
