import type { JSX } from "preact";
import type { SnapshotAnswer } from "../../data/answers.ts";
import { Meter } from "../../ui/meter.tsx";

/** One bar a core. */
export function Cores({ snapshot }: { snapshot: SnapshotAnswer }): JSX.Element {
  return (
    <div class="cores">
      {snapshot.coreBusyRatios.map((ratio, index) => (
        <div key={index} class="core">
          <span class="note">{index}</span>
          <Meter ratio={ratio} />
        </div>
      ))}
    </div>
  );
}
