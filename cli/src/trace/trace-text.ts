import type { FetchedTraceAnswer, SpanAnswer } from "@apm-daemon/protocol";
import type { Paint } from "../terminal/paint.ts";
import { shownCount, shownMs } from "../terminal/quantities.ts";
import { safeText } from "../terminal/safe-text.ts";
import { cutText, textWidth } from "../terminal/text-width.ts";
import { hostLines } from "./host-lines.ts";
import { repeatLines } from "./repeat-lines.ts";
import { spanTree, type TreeRow } from "./span-tree.ts";
import { verdictLines } from "./verdict-lines.ts";

export interface TracePage {
  /** Cells of a line. */
  columns: number;
  nowUnixMs: number;
  paint: Paint;
}

const MIN_COLUMNS = 60;
const MAX_COLUMNS = 200;
const TIME_CELLS = 8;
/** Cells that the lines of the tree may take of a label. */
const MAX_TREE_RATIO = 0.4;
const COLORS: Readonly<Record<SpanAnswer["category"], Parameters<Paint>[0]>> = {
  web: "blue",
  background: "blue",
  internal: "blue",
  database: "magenta",
  cache: "yellow",
  external: "cyan",
};

/** A trace as a page of text: what it was, its waterfall, and the hosts that could not say all. */
export function traceText(trace: FetchedTraceAnswer, page: TracePage): string {
  const columns = Math.min(Math.max(page.columns, MIN_COLUMNS), MAX_COLUMNS);
  const layout = layoutOf(columns);
  const lines = spanTree(trace.spans).flatMap((row) => rowLines(row, trace, layout, page.paint));
  return [
    ...headLines(trace, columns, page.paint),
    "",
    page.paint(
      "dim",
      `${"".padEnd(layout.label)}${"start".padStart(TIME_CELLS)}${"took".padStart(TIME_CELLS)}`,
    ),
    ...lines,
    "",
    ...hostLines(trace.hosts, page.nowUnixMs, page.paint),
  ].join("\n");
}

interface Layout {
  label: number;
  bar: number;
}

/** The names get what they need of a wide terminal, the bars at least a quarter of a narrow one. */
function layoutOf(columns: number): Layout {
  const free = columns - 2 * TIME_CELLS - 1;
  const bar = Math.min(48, Math.max(14, Math.floor(free * 0.36)));
  return { label: free - bar, bar };
}

function headLines(trace: FetchedTraceAnswer, columns: number, paint: Paint): string[] {
  const [root] = trace.roots;
  const apps = new Set(trace.roots.map(({ app }) => app)).size;
  const hosts = new Set(trace.roots.map(({ host }) => host)).size;
  const shown = trace.spans.length;
  const counted = trace.roots.reduce((sum, { spans }) => sum + spans, 0);
  const spans =
    counted > shown ? `${shownCount(shown)} of ${shownCount(counted)} spans` : plural(shown, "span");
  const title = root === undefined ? trace.traceId : safeText(root.action);
  const outcome = outcomeOf(root, paint);
  const room = columns - textWidth(` ${shownMs(trace.durationMs)}`) - 14;
  return [
    `${paint("bold", cutText(title, room))}  ${shownMs(trace.durationMs)}${outcome}`,
    paint("dim", `trace ${trace.traceId}`),
    paint(
      "dim",
      `${new Date(trace.startUnixMs).toISOString()}, ${spans}, ${plural(apps, "app")} on ${plural(hosts, "host")}`,
    ),
    ...trace.roots
      .filter(({ reason }) => reason === "unfinished")
      .map(({ app, host }) =>
        paint("yellow", `not ended yet: the request in ${safeText(app)} on ${safeText(host)}`),
      ),
    ...verdictLines(trace.roots, columns, paint),
    ...repeatLines(trace, columns, paint),
  ];
}

function outcomeOf(root: FetchedTraceAnswer["roots"][number] | undefined, paint: Paint): string {
  if (root === undefined || root.reason === "unfinished") return "";
  const status = root.status === 0 ? "" : `  ${root.status}`;
  return root.error ? paint("red", `${status}  failed`) : paint("green", status || "  ok");
}

function rowLines(row: TreeRow, trace: FetchedTraceAnswer, layout: Layout, paint: Paint): string[] {
  const [span] = row.spans;
  const startMs = span.startUnixMs - trace.startUnixMs;
  const endMs = Math.max(...row.spans.map((one) => one.startUnixMs - trace.startUnixMs + one.durationMs));
  const tookMs = row.spans.reduce((sum, one) => sum + one.durationMs, 0);
  const failed = row.spans.find(({ error }) => error);
  const branch = branchOf(row, layout.label);
  const color = failed === undefined ? COLORS[span.category] : "red";
  const line =
    paint("dim", branch) +
    label(row, layout.label - textWidth(branch), paint) +
    shownMs(startMs).padStart(TIME_CELLS) +
    shownMs(tookMs).padStart(TIME_CELLS) +
    " " +
    paint(color, bar(startMs, endMs, trace.durationMs, layout.bar));
  const message = failed === undefined ? "" : errorMessage(failed);
  if (message === "") return [line.trimEnd()];
  const indent = `${continued(branch)}  `;
  const room = layout.label + 2 * TIME_CELLS + 1 + layout.bar - textWidth(indent);
  return [line.trimEnd(), paint("dim", indent) + paint("red", cutText(message, room))];
}

/** The name, then where it ran if that is another place than its parent's, else the statement; exactly `cells` wide. */
function label(row: TreeRow, cells: number, paint: Paint): string {
  const [span] = row.spans;
  const isFailed = row.spans.some(({ error }) => error);
  const times = row.spans.length > 1 ? `${row.spans.length} × ` : "";
  const orphan = row.isOrphan ? "… " : "";
  const fullName = `${isFailed ? "✗ " : ""}${orphan}${times}${safeText(span.name) || "(unnamed)"}`;
  const isElsewhere = row.parent === null || row.parent.app !== span.app || row.parent.host !== span.host;
  const where = isElsewhere ? cutText(safeText(`${span.app}@${span.host}`), Math.floor(cells * 0.5)) : "";
  const name = cutText(fullName, where === "" ? cells - 1 : Math.max(8, cells - textWidth(where) - 3));
  const rest = cells - textWidth(name) - 3;
  const beside = where === "" ? cutIfUseful(statementOf(row), rest) : cutText(where, rest);
  const padding = " ".repeat(
    Math.max(0, cells - textWidth(name) - (beside === "" ? 0 : textWidth(beside) + 2)),
  );
  const shownName = isFailed ? paint("red", name) : name;
  if (beside === "") return shownName + padding;
  return `${shownName}  ${paint(where === "" ? "dim" : "cyan", beside)}${padding}`;
}

/** A few letters of a statement say nothing. */
function cutIfUseful(text: string, cells: number): string {
  return cells < Math.min(12, textWidth(text)) ? "" : cutText(text, cells);
}

function statementOf(row: TreeRow): string {
  const { attributes, name } = row.spans[0];
  const text = attributes["db.query.text"] ?? attributes["db.statement"] ?? "";
  const statement = typeof text === "string" ? safeText(text.replaceAll(/\s+/g, " ").trim()) : "";
  return statement === name ? "" : statement;
}

function errorMessage(span: SpanAnswer): string {
  const { attributes = {} } = span.events.find(({ name }) => name === "exception") ?? {};
  const text = [attributes["exception.type"], attributes["exception.message"] ?? span.statusMessage]
    .filter((part) => typeof part === "string" && part !== "")
    .join(": ");
  return safeText(text.split("\n", 1)[0] ?? "");
}

/** The lines of the tree in front of a row. Deep down they stop growing. */
function branchOf({ follows }: TreeRow, labelCells: number): string {
  if (follows.length <= 1) return "";
  const levels = follows.slice(1).slice(-Math.floor((labelCells * MAX_TREE_RATIO) / 2));
  return levels
    .map((more, i) => (i < levels.length - 1 ? (more ? "│ " : "  ") : more ? "├ " : "└ "))
    .join("");
}

function continued(branch: string): string {
  return branch.replace("├", "│").replace("└", " ");
}

/** A part of the whole as full cells: one at least, and none beyond the end. */
function bar(startMs: number, endMs: number, wholeMs: number, cells: number): string {
  const scale = wholeMs > 0 ? cells / wholeMs : 0;
  const from = Math.min(Math.max(0, Math.floor(startMs * scale)), cells - 1);
  const to = Math.min(Math.max(Math.round(endMs * scale), from + 1), cells);
  return " ".repeat(from) + "█".repeat(to - from);
}

function plural(count: number, one: string): string {
  return `${shownCount(count)} ${count === 1 ? one : `${one}s`}`;
}
