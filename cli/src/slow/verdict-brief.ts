import type { Verdict, VerdictCause } from "@apm-daemon/protocol";
import { shownBytes, shownCount, shownMs, shownRatio } from "../terminal/quantities.ts";
import { safeText } from "../terminal/safe-text.ts";

const MAX_CAUSES = 2;

/** Why a request was slow, in a few words. */
export function verdictBrief(verdict: Verdict | undefined): string {
  if (verdict === undefined) return "no verdict yet";
  const { causes, time, confidence } = verdict;
  if (causes.length > 0) {
    const doubt = confidence === "low" ? " (not sure)" : "";
    return `${causes.slice(0, MAX_CAUSES).map(causeText).join("; ")}${doubt}`;
  }
  const target = time.target === "" ? "" : ` ${safeText(time.target)}`;
  return `nothing unusual on the host: ${shownRatio(time.ratio)} in ${safeText(time.part)}${target}`;
}

function causeText({ kind, unit, value, usual, process, target }: VerdictCause): string {
  const usually = usual === null ? "" : ` (usual ${shownValue(usual, unit)})`;
  const whose = process === undefined ? "" : ` by ${safeText(process.command)}`;
  const where = target === undefined || target === "" ? "" : ` ${safeText(target)}`;
  return `${safeText(kind.replaceAll("_", " "))}${where} ${shownValue(value, unit)}${usually}${whose}`;
}

function shownValue(value: number, unit: VerdictCause["unit"]): string {
  switch (unit) {
    case "ratio":
      return shownRatio(value);
    case "bytes":
      return shownBytes(value);
    case "bytes/s":
      return `${shownBytes(value)}/s`;
    case "1/s":
      return `${shownCount(value)}/s`;
    case "ms":
      return shownMs(value);
    case "1":
      return shownCount(value);
  }
  return `${value} ${safeText(unit satisfies never)}`;
}
