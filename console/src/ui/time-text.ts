/** Times as the chosen clock has them; its offset is always shown somewhere on the page. */
import { offsetMinutes, unixMsOfWall, wallMs } from "./zone.ts";

const twoDigits = (value: number): string => String(value).padStart(2, "0");

/** `14:18:20`. */
export function clockText(unixMs: number): string {
  return new Date(wallMs(unixMs)).toISOString().slice(11, 19);
}

/** `14:18`. */
export function minuteText(unixMs: number): string {
  return clockText(unixMs).slice(0, 5);
}

/** `11-23`. */
export function dayText(unixMs: number): string {
  return new Date(wallMs(unixMs)).toISOString().slice(5, 10);
}

/** `2026-11-23 14:18:20`. */
export function dateTimeText(unixMs: number): string {
  return new Date(wallMs(unixMs)).toISOString().slice(0, 19).replace("T", " ");
}

/** `12:00–15:00`, with days where the ends lie on different ones. */
export function rangeSpanText(fromMs: number, toMs: number): string {
  const needsSeconds = toMs - fromMs < 600_000;
  const time = needsSeconds ? clockText : minuteText;
  const isSameDay = dayText(fromMs) === dayText(toMs) && toMs - fromMs < 86_400_000;
  if (isSameDay) return `${time(fromMs)}–${time(toMs)}`;
  return `${dayText(fromMs)} ${minuteText(fromMs)} – ${dayText(toMs)} ${minuteText(toMs)}`;
}

/** `UTC+08:00`, the offset in force at that time. */
export function offsetText(unixMs: number): string {
  const minutes = offsetMinutes(unixMs);
  if (minutes === 0) return "UTC";
  const size = Math.abs(minutes);
  return `UTC${minutes < 0 ? "−" : "+"}${twoDigits(Math.floor(size / 60))}:${twoDigits(size % 60)}`;
}

/** The value of a `datetime-local` field: local time with seconds. */
export function fieldText(unixMs: number): string {
  return dateTimeText(unixMs).replace(" ", "T");
}

/** What such a field means; NaN for what is no time. */
export function unixMsOfField(text: string): number {
  return unixMsOfWall(Date.parse(`${text}Z`));
}
