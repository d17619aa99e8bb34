import type { TopReport } from "@apm-daemon/protocol";
import { fittedLine, type Piece } from "../terminal/fitted-line.ts";
import { fittedTable } from "../terminal/fitted-table.ts";
import type { Paint } from "../terminal/paint.ts";
import { shownAge } from "../terminal/quantities.ts";
import { cutText } from "../terminal/text-width.ts";
import { hostPanel } from "./host-panel.ts";
import { APP_COLUMNS, PROCESS_COLUMNS, sortedRows, type TopColumn } from "./top-tables.ts";
import { SORT_KEYS, type TopTable, type TopView } from "./top-view.ts";

export interface TopPage {
  report: TopReport;
  view: TopView;
  /** Cells of a line, and lines of the page; all rows when there is no end to these. */
  columns: number;
  rows: number;
  paint: Paint;
  /** Whether keys are taken; else the page has no footer and no mark of the table that has them. */
  hasKeys: boolean;
  /** Why the report is an old one, "" when it is not. */
  trouble: string;
}

/** In a terminal that is narrower, it cuts the lines itself. */
const MIN_COLUMNS = 32;
/** Titles, and a blank line above. */
const TABLE_HEAD_LINES = 2;
/** A look at them that is older than this is not of now. */
const OLD_PROCESSES_SEC = 15;

/** One page, at most `rows` lines of at most `columns` cells. */
export function topPage(page: TopPage): string {
  const cells = Math.max(MIN_COLUMNS, page.columns);
  const trouble = page.trouble === "" ? [] : [page.paint("yellow", cutText(`! ${page.trouble}`, cells))];
  const footer = page.hasKeys ? [footerLine(page, cells)] : [];
  const panel = [...trouble, ...hostPanel(page.report, cells, page.paint)];
  const body = page.view.isHelp
    ? helpLines(page, cells)
    : tableLines(page, cells, panel.length + footer.length);
  const room = page.rows - footer.length;
  const lines = [...panel, ...body].slice(0, Math.max(0, room));
  // The keys stand at the bottom, whatever there is to show.
  const empty = footer.length === 0 ? 0 : Math.max(0, room - lines.length);
  return [...lines, ...Array<string>(empty).fill(""), ...footer].join("\n");
}

/** The table with the keys has at least half of the room, all where there is little; the other one what is left. */
function tableLines(page: TopPage, cells: number, otherLines: number): string[] {
  const { report, view } = page;
  const room = page.rows - otherLines;
  const counts = { apps: Math.max(1, report.apps.length), processes: Math.max(1, report.processes.length) };
  const other: TopTable = view.table === "apps" ? "processes" : "apps";
  const isRoomForBoth = room >= 2 * (TABLE_HEAD_LINES + 2);
  const rowsRoom = isRoomForBoth ? room - 2 * TABLE_HEAD_LINES : room - TABLE_HEAD_LINES;
  const otherRows = isRoomForBoth
    ? Math.min(counts[other], Math.max(Math.floor(rowsRoom / 2), rowsRoom - counts[view.table]))
    : 0;
  const shown = { [view.table]: Math.max(1, rowsRoom - otherRows), [other]: otherRows };
  const tables = {
    apps: () => appLines(page, cells, shown["apps"] ?? 0),
    processes: () => processLines(page, cells, shown["processes"] ?? 0),
  };
  if (!isRoomForBoth) return tables[view.table]();
  return [...tables.apps(), ...tables.processes()];
}

function appLines(page: TopPage, cells: number, rows: number): string[] {
  const { apps, appsLeftOut } = page.report;
  const lines = sortedTable(page, "apps", apps, APP_COLUMNS, cells, rows);
  if (apps.length === 0)
    lines.push(cutText("no app is connected; start one with: apm run --name my-app node app.js", cells));
  if (appsLeftOut > 0 && page.rows === Number.POSITIVE_INFINITY)
    lines.push(`and ${appsLeftOut} more with fewer requests`);
  return lines;
}

function processLines(page: TopPage, cells: number, rows: number): string[] {
  const { processes, processesTsSec, nowUnixMs, processCount = 0 } = page.report;
  const everySec = page.report.idleProcessesEverySec ?? 1;
  const lines = sortedTable(page, "processes", processes, PROCESS_COLUMNS, cells, rows);
  const ageSec = processesTsSec === null ? 0 : Math.floor(nowUnixMs / 1_000) - processesTsSec;
  if (processes.length === 0) lines.push(cutText("the daemon has not looked at the processes yet", cells));
  else if (ageSec > OLD_PROCESSES_SEC)
    lines[1] = cutText(`${lines[1] ?? ""}  (${shownAge(ageSec * 1_000)} ago)`, cells);
  else if (everySec > 1)
    lines[1] = cutText(`${lines[1] ?? ""}  (of ${processCount}; idle every ${everySec} s)`, cells);
  return lines;
}

function sortedTable<Row>(
  { view, paint, hasKeys }: TopPage,
  name: TopTable,
  all: readonly Row[],
  columns: readonly TopColumn<Row>[],
  cells: number,
  rows: number,
): string[] {
  const key = view.sort[name];
  const marked = columns.map((column) =>
    column.key === key ? { ...column, title: `${column.title}▼` } : column,
  );
  const hasThem = hasKeys && view.table === name;
  const scrolled = hasThem ? Math.min(view.scrolled, Math.max(0, all.length - rows)) : 0;
  const chosen = sortedRows(all, columns, key).slice(scrolled, scrolled + rows);
  const [titles = "", ...lines] = fittedTable(marked, chosen, cells, paint);
  return [
    "",
    paint(hasThem ? ["bold", "inverse"] : "bold", hasThem ? titles.padEnd(cells) : titles),
    ...lines,
  ];
}

function footerLine({ view, paint }: TopPage, cells: number): string {
  const keys: Piece[] = view.isHelp
    ? [{ text: "any key closes the help" }, { text: "q quit" }]
    : [
        { text: "q quit" },
        { text: "h help" },
        { text: "tab table" },
        { text: "↑↓ scroll" },
        ...Object.entries(SORT_KEYS[view.table]).map(([key, what]) => ({
          text: `${key} ${what.split(",")[0]}`,
        })),
      ];
  return paint("dim", fittedLine(keys, cells));
}

function helpLines({ paint }: TopPage, cells: number): string[] {
  const sorts = (table: TopTable): string[] =>
    Object.entries(SORT_KEYS[table]).map(([key, what]) => `  ${key}  by ${what}`);
  return [
    "",
    paint("bold", "Keys"),
    "  tab ← →  the other table     ↑ ↓  scroll     q or Ctrl-C  quit",
    "",
    paint("bold", "Sort the apps"),
    ...sorts("apps"),
    paint("bold", "Sort the processes"),
    ...sorts("processes"),
    "",
    "rpm, avg, p95, Apdex and errors are those of the last full minute; loop is the 99th",
    "percentile of the event loop's delay; cpu is 100 % for one core; n counts processes;",
    "psi is the share of time in which some task waited for cpu, memory or disk.",
  ].map((line) => cutText(line, cells));
}
