import type { JSX } from "preact";
import { percent, text } from "./number-text.ts";

/** A ratio as digits and a bar; from 90 % on it is marked, by a sign as well as by colour. */
export function Meter({ ratio }: { ratio: number | null }): JSX.Element {
  const isHigh = ratio !== null && ratio >= 0.9;
  return (
    <span class={isHigh ? "meter meter-high" : "meter"}>
      <span class="meter-track" aria-hidden="true">
        <i style={{ width: `${Math.min(1, Math.max(0, ratio ?? 0)) * 100}%` }} />
      </span>
      <span class="meter-text">
        {isHigh && <span aria-hidden="true">▲ </span>}
        {text(percent(ratio))}
      </span>
    </span>
  );
}
