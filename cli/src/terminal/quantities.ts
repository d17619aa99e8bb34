const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** 12582912 -> "12 MiB" */
export function shownBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1_000 && unit < BYTE_UNITS.length - 1) {
    value /= 1_024;
    unit++;
  }
  return `${threeDigits(value)} ${BYTE_UNITS[unit] ?? ""}`;
}

/** 0.1234 -> "12.3 %"; unknown -> "–" */
export function shownRatio(ratio: number | null | undefined): string {
  return ratio === null || ratio === undefined ? "–" : `${threeDigits(ratio * 100)} %`;
}

/** 1234567 -> "1,234,567"; unknown -> "–" */
export function shownCount(count: number | null | undefined): string {
  return count === null || count === undefined ? "–" : Math.round(count).toLocaleString("en-US");
}

/** 1234.5 ms -> "1.23 s"; unknown -> "–" */
export function shownMs(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return "–";
  return ms < 1_000 ? `${threeDigits(ms)} ms` : `${threeDigits(ms / 1_000)} s`;
}

/** A span of time in its two largest units: "3 h 12 min". */
export function shownAge(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** Three significant digits without an exponent: 0.123, 12.3, 123, 1234. */
function threeDigits(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return String(Number(value.toFixed(digits)));
}
