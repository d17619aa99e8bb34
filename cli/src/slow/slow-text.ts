import type {
  RecentAction,
  RecentCall,
  RecentReport,
  RecentSlowStatement,
  RecentTrace,
} from "@apm-daemon/protocol";
import { type FittedColumn, fittedTable } from "../terminal/fitted-table.ts";
import type { Paint } from "../terminal/paint.ts";
import { shownAge, shownCount, shownMs, shownRatio } from "../terminal/quantities.ts";
import { safeText } from "../terminal/safe-text.ts";
import { cutText } from "../terminal/text-width.ts";
import { verdictBrief } from "./verdict-brief.ts";

export interface SlowPage {
  /** Cells of a line. */
  columns: number;
  /** The app that was asked for, whose name need not stand in each line; undefined for all. */
  app: string | undefined;
  paint: Paint;
}

const MIN_COLUMNS = 60;
const MAX_ACTIONS = 10;
const MAX_CALLS = 10;
const MAX_STATEMENTS = 5;
const MAX_TRACES = 10;
const TRACE_ID_CELLS = 32;

/** What took the time in the last minutes, as a page of text. */
export function slowText(report: RecentReport, page: SlowPage): string {
  const cells = Math.max(MIN_COLUMNS, page.columns);
  if (report.actions.length + report.calls.length + report.traces.length === 0)
    return `${headline(report, cells, page.paint)}\n\n${nothingText(page.app)}`;
  return [
    headline(report, cells, page.paint),
    ...actionLines(report.actions, cells, page),
    ...callLines(report.calls, cells, page),
    ...statementLines(report.slowStatements, cells, page),
    ...traceLines(report.traces, cells, page),
    ...leftOutLines(report, page.paint),
  ].join("\n");
}

function nothingText(app: string | undefined): string {
  const which = app === undefined ? "No request" : `No request of an app called ${safeText(app)}`;
  const hint = app === undefined ? "" : ' "apm top" names those that are connected.';
  return `${which} is counted in this time; those of the last 10 s may be missing.${hint}`;
}

function headline(report: RecentReport, cells: number, paint: Paint): string {
  const { host, minutes, requests, errors, totalTimeMs, sinceUnixMs, fromUnixMs, toUnixMs } = report;
  const range =
    sinceUnixMs > fromUnixMs
      ? `the ${shownAge(toUnixMs - sinceUnixMs)} since the daemon's start`
      : `the last ${minutes === 1 ? "minute" : `${minutes} minutes`}`;
  const failed = requests === 0 ? "" : `, ${shownRatio(errors / requests)} failed`;
  const sum = `${shownCount(requests)} ${requests === 1 ? "request" : "requests"}${failed}, ${shownMs(totalTimeMs)} in all`;
  return paint("bold", cutText(`${safeText(host)}, ${range}: ${sum}`, cells));
}

function actionLines(actions: readonly RecentAction[], cells: number, page: SlowPage): string[] {
  if (actions.length === 0) return [];
  return titled<RecentAction>(
    [
      name("Actions", ({ app, action }) => `${appIn(page, app)}${safeText(action)}`),
      numbers("share", 6, 0, ({ share }) => shownRatio(share)),
      numbers("requests", 8, 0, ({ requests }) => shownCount(requests)),
      {
        ...numbers<RecentAction>("failed", 6, 1, ({ requests, errors }) => shownRatio(errors / requests)),
        style: ({ errors }) => (errors > 0 ? "red" : null),
      },
      numbers("Apdex", 5, 4, ({ apdex }) => apdex?.toFixed(2) ?? "–"),
      numbers("database", 8, 5, ({ databaseMs, totalTimeMs }) => part(databaseMs, totalTimeMs)),
      numbers("external", 8, 6, ({ externalMs, totalTimeMs }) => part(externalMs, totalTimeMs)),
      ...timeColumns<RecentAction>(),
    ],
    actions.slice(0, MAX_ACTIONS),
    actions.length - MAX_ACTIONS,
    cells,
    page,
  );
}

function callLines(calls: readonly RecentCall[], cells: number, page: SlowPage): string[] {
  if (calls.length === 0) return [];
  return titled<RecentCall>(
    [
      name("Statements and calls", (call) => `${appIn(page, call.app)}${callName(call)}`),
      numbers("share", 6, 0, ({ share }) => shownRatio(share)),
      numbers("calls", 8, 0, ({ calls }) => shownCount(calls)),
      {
        ...numbers<RecentCall>("failed", 6, 1, ({ calls, errors }) => shownRatio(errors / calls)),
        style: ({ errors }) => (errors > 0 ? "red" : null),
      },
      ...timeColumns<RecentCall>(),
    ],
    calls.slice(0, MAX_CALLS),
    calls.length - MAX_CALLS,
    cells,
    page,
    ({ text }) => statement(text),
  );
}

function statementLines(statements: readonly RecentSlowStatement[], cells: number, page: SlowPage): string[] {
  if (statements.length === 0) return [];
  return titled<RecentSlowStatement>(
    [
      name("Slowest calls", ({ app, action }) => `${appIn(page, app)}${safeText(action)}`),
      numbers("took", 7, 0, ({ durationMs }) => shownMs(durationMs)),
      numbers("at", 8, 2, ({ endUnixMs }) => time(endUnixMs)),
      left("trace", TRACE_ID_CELLS, ({ traceId }) => safeText(traceId)),
    ],
    statements.slice(0, MAX_STATEMENTS),
    statements.length - MAX_STATEMENTS,
    cells,
    page,
    ({ text, operation, system, caller }) =>
      [statement(text) || `${safeText(operation)} (${safeText(system)})`, safeText(caller)]
        .filter((line) => line !== "")
        .join("\n"),
  );
}

function traceLines(traces: readonly RecentTrace[], cells: number, page: SlowPage): string[] {
  const { paint } = page;
  if (traces.length === 0)
    return ["", paint("dim", "No request failed or took longer than its Apdex threshold or slow_action_ms.")];
  return [
    ...titled<RecentTrace>(
      [
        name("Slow and failed", ({ app, action }) => `${appIn(page, app)}${safeText(action)}`),
        {
          ...numbers<RecentTrace>("took", 7, 0, ({ durationMs }) => shownMs(durationMs)),
          style: ({ error }) => (error ? "red" : "yellow"),
        },
        {
          ...numbers<RecentTrace>("status", 6, 0, ({ status, error }) =>
            status > 0 ? String(status) : error ? "failed" : "ok",
          ),
          style: ({ error }) => (error ? "red" : null),
        },
        numbers("at", 8, 2, ({ startUnixMs }) => time(startUnixMs)),
        left("trace", TRACE_ID_CELLS, ({ traceId }) => safeText(traceId)),
      ],
      traces.slice(0, MAX_TRACES),
      traces.length - MAX_TRACES,
      cells,
      page,
      ({ verdict }) => verdictBrief(verdict),
    ),
    paint("dim", cutText("apm trace ID shows one of them whole", cells)),
  ];
}

/** What memory had no room for. */
function leftOutLines({ leftOut }: RecentReport, paint: Paint): string[] {
  const counts: [number, string][] = [
    [leftOut.actions, "rows of actions, counted as (other)"],
    [leftOut.calls, "rows of calls, counted as (other)"],
    [leftOut.slowStatements, "slow calls"],
    [leftOut.traces, "traces of the less slow"],
    [leftOut.minutes, "whole minutes"],
  ];
  const lines = counts
    .filter(([count]) => count > 0)
    .map(([count, what]) => `  ${shownCount(count)} ${what}`);
  return lines.length === 0
    ? []
    : ["", ...["Not remembered, as memory is bounded:", ...lines].map((line) => paint("dim", line))];
}

/** A table below a blank line; below each row what `beneath` says, cut, and at last how many more there are. */
function titled<Row>(
  columns: readonly FittedColumn<Row>[],
  rows: readonly Row[],
  more: number,
  cells: number,
  { paint }: SlowPage,
  beneath: (row: Row) => string = () => "",
): string[] {
  const [titles = "", ...lines] = fittedTable(columns, rows, cells, paint);
  const body = lines.flatMap((line, i) => {
    const row = rows[i];
    const text = row === undefined ? "" : beneath(row);
    if (text === "") return [line];
    return [line, ...text.split("\n").map((one) => paint("dim", `  ${cutText(one, cells - 2)}`))];
  });
  return [
    "",
    paint("bold", titles),
    ...body,
    ...(more > 0 ? [paint("dim", `  and ${more} more; --json has them`)] : []),
  ];
}

function name<Row>(title: string, text: (row: Row) => string): FittedColumn<Row> {
  return { title, align: "left", cells: 26, isFlexible: true, dropOrder: 0, text };
}

function left<Row>(title: string, cells: number, text: (row: Row) => string): FittedColumn<Row> {
  return { title, align: "left", cells, dropOrder: 0, text };
}

function numbers<Row>(
  title: string,
  cells: number,
  dropOrder: number,
  text: (row: Row) => string,
): FittedColumn<Row> {
  return { title, align: "right", cells, dropOrder, text };
}

function timeColumns<Row extends { avgMs: number; p95Ms: number; maxMs: number }>(): FittedColumn<Row>[] {
  return [
    numbers("avg", 7, 3, ({ avgMs }) => shownMs(avgMs)),
    numbers("p95", 7, 0, ({ p95Ms }) => shownMs(p95Ms)),
    numbers("max", 7, 2, ({ maxMs }) => shownMs(maxMs)),
  ];
}

/** In a narrow terminal the app leaves room for what comes after it. */
function appIn(page: SlowPage, app: string): string {
  return page.app === undefined ? `${cutText(safeText(app), page.columns < 100 ? 10 : 30)}  ` : "";
}

/** "SELECT orders  postgresql db:5432" */
function callName({ operation, system, target, category }: RecentCall): string {
  const where = [system === "" ? category : system, target].filter((text) => text !== "").join(" ");
  return `${safeText(operation)}  ${safeText(where)}`;
}

function statement(text: string): string {
  return safeText(text.replaceAll(/\s+/g, " ").trim());
}

function part(ms: number, wholeMs: number): string {
  return shownRatio(wholeMs === 0 ? 0 : ms / wholeMs);
}

function time(unixMs: number): string {
  return new Date(unixMs).toTimeString().slice(0, 8);
}
