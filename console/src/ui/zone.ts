import { computed, signal } from "@preact/signals";
import { keepPreference, readPreference } from "../app/preference.ts";

/** Whose wall clock the page shows. */
export const ZONES = ["browser", "utc", "host"] as const;
export type ZoneChoice = (typeof ZONES)[number];

const MINUTE_MS = 60_000;
/** Offsets change at quarters of an hour only. */
const QUARTER_MS = 15 * MINUTE_MS;
/** Three weeks of quarters; more are computed anew. */
const MAX_KNOWN_OFFSETS = 2_000;

function storedChoice(): ZoneChoice {
  const stored = readPreference("zone");
  return ZONES.find((one) => one === stored) ?? "browser";
}

export const zoneChoice = signal<ZoneChoice>(storedChoice());
/** The zone of the host that the page is about, as IANA names it; null while it is not known. */
export const hostZone = signal<string | null>(null);

/** Changes whose clock is shown and keeps the choice in this browser. */
export function chooseZone(choice: ZoneChoice): void {
  keepPreference("zone", choice === "browser" ? null : choice);
  zoneChoice.value = choice;
}

/** The IANA name of the zone shown; null for the browser's own. */
export const shownZone = computed<string | null>(() => {
  if (zoneChoice.value === "utc") return "UTC";
  return zoneChoice.value === "host" ? hostZone.value : null;
});

/** Looking an offset up in a foreign zone is slow, so each quarter's is kept. */
const offsets = computed(() => {
  const format = formatOf(shownZone.value);
  const known = new Map<number, number>();
  return (unixMs: number): number => {
    if (format === null) return -new Date(unixMs).getTimezoneOffset();
    const quarter = Math.floor(unixMs / QUARTER_MS);
    const found = known.get(quarter);
    if (found !== undefined) return found;
    if (known.size >= MAX_KNOWN_OFFSETS) known.clear();
    const offset = offsetIn(format, quarter * QUARTER_MS);
    known.set(quarter, offset);
    return offset;
  };
});

function formatOf(zone: string | null): Intl.DateTimeFormat | null {
  if (zone === null) return null;
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" });
  } catch {
    return null; // this browser does not know the host's zone: its own is shown, and said
  }
}

/** From `GMT-03:30`. */
function offsetIn(format: Intl.DateTimeFormat, unixMs: number): number {
  const name = format.formatToParts(unixMs).find(({ type }) => type === "timeZoneName")?.value ?? "";
  const match = /^GMT([+-])(\d\d):(\d\d)/.exec(name);
  if (!match) return 0;
  return (match[1] === "-" ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3]));
}

/** Minutes by which the clock shown is ahead of UTC at that time. */
export function offsetMinutes(unixMs: number): number {
  return offsets.value(unixMs);
}

/** The time as if the clock shown were UTC: for the getUTC… methods of Date. */
export function wallMs(unixMs: number): number {
  return unixMs + offsetMinutes(unixMs) * MINUTE_MS;
}

/** Back from there. Of an hour that the clock has twice it is one of both; one that it leaves out lies beside the gap. */
export function unixMsOfWall(wall: number): number {
  const guess = wall - offsetMinutes(wall) * MINUTE_MS;
  return wall - offsetMinutes(guess) * MINUTE_MS;
}

/** The same time of day so many days before, whatever summer time does between. */
export function daysBefore(unixMs: number, days: number): number {
  return unixMsOfWall(wallMs(unixMs) - days * 86_400_000);
}

/** For code that reads a Date's local time: one whose local time is that of the clock shown. */
export function zonedDate(unixMs: number): Date {
  if (shownZone.value === null) return new Date(unixMs);
  return new Date(wallMs(unixMs) + new Date(unixMs).getTimezoneOffset() * MINUTE_MS);
}
