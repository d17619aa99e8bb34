import type { JSX } from "preact";
import type { TimeSplit } from "../data/answers.ts";
import { percent, text } from "./number-text.ts";

/** Layers of a request's own time, in the order of the charts' stack; queue time lies outside of it. */
const LAYERS = ["code", "database", "cache", "external"] as const;

/** A share as digits and as a bar whose colours say where that time went; `largest` fills the whole width. */
export function ShareBar(props: {
  share: number | null;
  largest: number;
  split: TimeSplit | null;
}): JSX.Element {
  const { share, largest, split } = props;
  const total = LAYERS.reduce((sum, layer) => sum + (split?.[layer] ?? 0), 0);
  const width = share === null || largest <= 0 ? 0 : (share / largest) * 100;
  return (
    <span class="share">
      <span class="share-track" aria-hidden="true">
        <span class="share-bar" style={{ width: `${width}%` }}>
          {LAYERS.map((layer) => {
            const part = total === 0 ? 0 : ((split?.[layer] ?? 0) / total) * 100;
            return part > 0 && <i key={layer} class={`fill-${layer}`} style={{ width: `${part}%` }} />;
          })}
        </span>
      </span>
      <span class="share-text">{text(percent(share))}</span>
    </span>
  );
}
