import type { Verdict, VerdictCause } from "../data/answers.ts";
import { isMessageKey, t } from "../i18n/translate.ts";
import { bytes, bytesPerSecond, count, duration, type Formatter, percent, text } from "./number-text.ts";
import "../i18n/en/verdict.ts";

const FORMATTERS: Readonly<Record<string, Formatter>> = {
  ratio: percent,
  ms: duration,
  bytes,
  "bytes/s": bytesPerSecond,
};

/** The cause alone, with the database, cache or service by its name. */
export function causeName({ kind, target = "" }: Pick<VerdictCause, "kind" | "target">): string {
  const name = known(`verdict.cause.${kind}`, kind);
  return target === "" ? name : `${name} ${target}`;
}

/** What was measured beside what is usual, and the process that stands out. */
export function evidenceText(cause: VerdictCause): string {
  return evidenceParts(cause).join(" · ");
}

/** The same, a part for each thing that was measured. */
export function evidenceParts({ metric, unit, value, usual, process }: VerdictCause): string[] {
  const shown = (amount: number): string => text((FORMATTERS[unit] ?? count)(amount));
  const parts = [known(`verdict.metric.${metric}`, `${metric} {value}`, { value: shown(value) })];
  if (metric !== "durationMs")
    parts.push(usual === null ? t("verdict.usualUnknown") : t("verdict.usual", { usual: shown(usual) }));
  if (process !== undefined) {
    const { pid, command, cpuRatio } = process;
    parts.push(t("verdict.process", { command, pid, cpu: text(percent(cpuRatio)) }));
  }
  return parts;
}

export function shareText({ share }: VerdictCause, durationMs: number): string {
  return t("verdict.share", { share: text(percent(share)), time: text(duration(durationMs)) });
}

/** What is said when there is no cause. */
export function nothingText({ time }: Verdict): string {
  const part = known(`verdict.part.${time.part}`, time.part);
  return t("verdict.nothing", { part: time.target === "" ? part : `${part} ${time.target}` });
}

/** How sure, and why no surer. */
export function confidenceText({ confidence, doubts, baselineSeconds }: Verdict): string {
  const reasons = doubts.map((doubt) => known(`verdict.doubt.${doubt}`, doubt));
  return [
    known(`verdict.sure.${confidence}`, confidence),
    ...reasons,
    t("verdict.compared", { seconds: baselineSeconds }),
  ].join(" · ");
}

/** Newer daemons may say what this page has no text for. */
function known(key: string, otherwise: string, values: Readonly<Record<string, string>> = {}): string {
  if (isMessageKey(key)) return t(key, values);
  return otherwise.replace("{value}", values["value"] ?? "");
}
