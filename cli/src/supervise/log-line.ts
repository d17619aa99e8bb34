import type { Paint } from "../terminal/paint.ts";
import { safeText } from "../terminal/safe-text.ts";

const LEVELS: Readonly<Record<number, string>> = {
  10: "trace",
  20: "debug",
  40: "warning",
  50: "error",
  60: "fatal",
};
const NOT_SHOWN = new Set(["level", "time", "pid", "hostname", "name", "msg", "part", "err"]);

/**
 * One JSON log line as people read it: `12:34:56 daemon  warning: message key=value`. A line that is no JSON object is
 * shown as it is. The result is one line, whatever the fields contain.
 */
export function readableLogLine(part: string, line: string, paint: Paint): string {
  const record = parsedRecord(line);
  const label = paint("cyan", part.padEnd(9));
  if (!record) return `${label} ${safeText(line)}`;
  const time = typeof record.time === "number" ? clockTime(record.time) : "";
  const fields = [...errorField(record.err), ...otherFields(record)].join(" ");
  const message = safeText(typeof record.msg === "string" ? record.msg : "");
  return `${paint("dim", time)} ${label} ${levelMark(record.level, paint)}${message} ${paint("dim", fields)}`.trimEnd();
}

function parsedRecord(line: string): Record<string, unknown> | null {
  if (!line.startsWith("{")) return null;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function clockTime(unixMs: number): string {
  const date = new Date(unixMs);
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => String(part).padStart(2, "0"))
    .join(":");
}

function levelMark(level: unknown, paint: Paint): string {
  const name = LEVELS[Number(level)];
  if (!name) return "";
  return `${paint(Number(level) >= 50 ? "red" : Number(level) >= 40 ? "yellow" : "dim", name)}: `;
}

function errorField(error: unknown): string[] {
  if (typeof error !== "object" || error === null) return [];
  const { message } = error as { message?: unknown };
  return typeof message === "string" ? [`error=${fieldValue(message)}`] : [];
}

function otherFields(record: Record<string, unknown>): string[] {
  return Object.entries(record)
    .filter(([key]) => !NOT_SHOWN.has(key))
    .map(([key, value]) => `${safeText(key)}=${fieldValue(value)}`);
}

function fieldValue(value: unknown): string {
  if (typeof value === "string" && /^[^\s"=]+$/.test(value)) return safeText(value);
  return safeText(JSON.stringify(value) ?? "");
}
