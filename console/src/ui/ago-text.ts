import { collectorNowMs } from "../app/location.ts";
import { t } from "../i18n/translate.ts";
import { UNKNOWN } from "./number-text.ts";

const UNITS = [
  { unit: "d", ms: 86_400_000, from: 2 },
  { unit: "h", ms: 3_600_000, from: 2 },
  { unit: "m", ms: 60_000, from: 2 },
] as const;

/** How long ago something was seen, in the collector's time: `42 s ago`, `9 min ago`. */
export function agoText(unixMs: number | null): string {
  if (unixMs === null) return UNKNOWN;
  const agoMs = Math.max(0, collectorNowMs() - unixMs);
  const fitting = UNITS.find(({ ms, from }) => agoMs >= ms * from);
  const span = fitting
    ? t(`span.${fitting.unit}`, { n: Math.floor(agoMs / fitting.ms) })
    : t("span.s", { n: Math.round(agoMs / 1000) });
  return t("time.ago", { span });
}

/** A relative range such as `30m` in words: `30 min`. */
export function spanText(span: string): string {
  const match = /^(\d+)([smhdw])$/.exec(span);
  if (!match) return span;
  return t(`span.${match[2] as "s" | "m" | "h" | "d" | "w"}`, { n: match[1] ?? "" });
}
