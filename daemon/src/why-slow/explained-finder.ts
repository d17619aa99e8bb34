import type { TraceFinder } from "../flight-recorder/found-messages.ts";
import { type WhySlow, withVerdict } from "./why-slow.ts";

/** Adds the verdicts to what a search of the journal finds, while the host's seconds of then are remembered. */
export function explainedFinder(recorder: TraceFinder, whySlow: Pick<WhySlow, "explain">): TraceFinder {
  return {
    find: async (...question) => {
      const answer = await recorder.find(...question);
      const verdicts = whySlow.explain(answer.parts);
      const parts = answer.parts.map((part, i) => ({
        ...part,
        summary: withVerdict(part.summary, verdicts[i]),
      }));
      return { ...answer, parts };
    },
  };
}
