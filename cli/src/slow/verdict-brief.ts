import type { Verdict } from "@apm-daemon/protocol";
import { causeText, nothingText } from "../trace/verdict-words.ts";

const MAX_CAUSES = 2;

/** Why a request was slow, in one line; `apm trace` tells it whole. */
export function verdictBrief(verdict: Verdict | undefined): string {
  if (verdict === undefined) return "no verdict yet";
  const { causes, confidence } = verdict;
  if (causes.length === 0) return nothingText(verdict);
  const doubt = confidence === "low" ? " (not sure)" : "";
  return `${causes.slice(0, MAX_CAUSES).map(causeText).join("; ")}${doubt}`;
}
