import type { ProcessState, TopApp } from "@apm-daemon/protocol";
import type { FittedColumn } from "../terminal/fitted-table.ts";
import { shownBytes, shownCount, shownMs, shownRatio } from "../terminal/quantities.ts";
import { safeText } from "../terminal/safe-text.ts";

/** A column that the key `key` sorts by: the largest first, or texts by the alphabet. */
export interface TopColumn<Row> extends FittedColumn<Row> {
  key: string;
  order: (row: Row) => number | string | null;
}

/** Apdex below which users wait too long, and below which they leave (Apdex Alliance: "fair" and "poor"). */
const FAIR_APDEX = 0.85;
const POOR_APDEX = 0.7;
/** An event loop that is late by more is felt in every request. */
const LATE_MS = 100;

export const APP_COLUMNS: readonly TopColumn<TopApp>[] = [
  {
    key: "n",
    title: "app",
    align: "left",
    cells: 10,
    isFlexible: true,
    dropOrder: 0,
    text: ({ app }) => safeText(app),
    order: ({ app }) => app,
  },
  numbers("r", "rpm", 7, 0, ({ throughputRpm }) => throughputRpm, shownCount),
  numbers("a", "avg", 7, 4, ({ avgMs }) => avgMs, shownMs),
  numbers("p", "p95", 7, 1, ({ p95Ms }) => p95Ms, shownMs),
  {
    ...numbers<TopApp>(
      "x",
      "Apdex",
      6,
      3,
      ({ apdex }) => apdex,
      (apdex) => apdex?.toFixed(2) ?? "–",
    ),
    order: ({ apdex }) => (apdex === null ? null : -apdex),
    style: ({ apdex }) =>
      apdex === null || apdex >= FAIR_APDEX ? null : apdex >= POOR_APDEX ? "yellow" : "red",
  },
  {
    ...numbers<TopApp>("e", "errors", 7, 2, errorRatio, shownRatio),
    style: (app) => ((errorRatio(app) ?? 0) > 0 ? "red" : null),
  },
  numbers("c", "cpu", 6, 5, ({ cpuRatio }) => cpuRatio, shownRatio),
  numbers("m", "memory", 8, 6, ({ rssBytes }) => rssBytes, bytes),
  {
    ...numbers<TopApp>("l", "loop", 7, 7, ({ eventLoopDelayP99Ms }) => eventLoopDelayP99Ms, shownMs),
    style: ({ eventLoopDelayP99Ms }) => ((eventLoopDelayP99Ms ?? 0) > LATE_MS ? "yellow" : null),
  },
  numbers("", "n", 2, 8, ({ instances }) => instances, shownCount),
];

export const PROCESS_COLUMNS: readonly TopColumn<ProcessState>[] = [
  numbers("i", "pid", 7, 0, ({ pid }) => pid, String),
  {
    key: "u",
    title: "user",
    align: "left",
    cells: 8,
    dropOrder: 2,
    text: ({ user }) => safeText(user).slice(0, 16),
    order: ({ user }) => user,
  },
  numbers("c", "cpu", 7, 0, ({ cpuRatio }) => cpuRatio, shownRatio),
  numbers("m", "memory", 9, 0, ({ rssBytes }) => rssBytes, bytes),
  numbers("t", "threads", 8, 3, ({ threads }) => threads, shownCount),
  {
    key: "",
    title: "command",
    align: "left",
    cells: 10,
    isFlexible: true,
    dropOrder: 0,
    text: ({ command }) => safeText(command),
    order: ({ command }) => command,
  },
];

/** The rows in the order of the column with this key; what is not known comes last. */
export function sortedRows<Row>(
  rows: readonly Row[],
  columns: readonly TopColumn<Row>[],
  key: string,
): Row[] {
  const column = columns.find((one) => one.key === key);
  if (column === undefined) return [...rows];
  return rows
    .map((row) => ({ row, value: column.order(row) }))
    .sort(({ value: a }, { value: b }) => {
      if (a === null || b === null) return Number(a === null) - Number(b === null);
      return typeof a === "number" && typeof b === "number" ? b - a : String(a).localeCompare(String(b));
    })
    .map(({ row }) => row);
}

function numbers<Row>(
  key: string,
  title: string,
  cells: number,
  dropOrder: number,
  value: (row: Row) => number | null,
  shown: (value: number | null) => string,
): TopColumn<Row> {
  return {
    key,
    title,
    align: "right",
    cells,
    dropOrder,
    text: (row) => shown(value(row)),
    order: value,
  };
}

function errorRatio({ requests, errors }: TopApp): number | null {
  return requests === 0 ? null : errors / requests;
}

function bytes(value: number | null): string {
  return value === null ? "–" : shownBytes(value);
}
