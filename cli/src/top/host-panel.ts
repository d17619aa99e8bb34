import type { TopReport } from "@apm-daemon/protocol";
import { type BarPart, bar } from "../terminal/bar.ts";
import { fittedLine, type Piece } from "../terminal/fitted-line.ts";
import type { Paint } from "../terminal/paint.ts";
import { shownAge, shownBytes, shownRatio } from "../terminal/quantities.ts";
import { safeText } from "../terminal/safe-text.ts";
import { cutText } from "../terminal/text-width.ts";

const HEALTH_STYLES = { ok: "green", degraded: "yellow", failing: "red" } as const;
/** Numbers that change each second keep their place. */
const RATIO_CELLS = 6;
const BYTES_CELLS = 8;
const MAX_PROBLEMS = 2;
const MIN_BAR_CELLS = 12;
const MAX_BAR_CELLS = 42;
/** So that user, system, steal and iowait stand beside the bar in 80 columns. */
const CPU_TEXT_CELLS = 68;

type Second = TopReport["hostSecond"];

/** What the host does now, a line a resource. */
export function hostPanel(report: TopReport, cells: number, paint: Paint): string[] {
  const second = report.hostSecond;
  const barCells = Math.min(MAX_BAR_CELLS, Math.max(MIN_BAR_CELLS, cells - CPU_TEXT_CELLS));
  const line = (label: string, pieces: readonly Piece[]): string =>
    `${paint("dim", label.padEnd(5))} ${fittedLine(pieces, Math.max(0, cells - 6), paint)}`.trimEnd();
  return [
    headline(report, cells, paint),
    `${paint("dim", "cpu  ")} ${cpuBar(second, barCells, paint)} ${fittedLine(cpuPieces(second), cells - barCells - 7, paint)}`,
    `${paint("dim", "mem  ")} ${memoryBar(second, barCells, paint)} ${fittedLine(memoryPieces(second), cells - barCells - 7, paint)}`,
    line("load", loadPieces(report)),
    line("disk", diskPieces(second)),
    line("net", networkPieces(second)),
    ...report.problems
      .slice(0, MAX_PROBLEMS)
      .map((problem) => paint(HEALTH_STYLES[report.health], cutText(`! ${safeText(problem)}`, cells))),
  ].map((text) => text.trimEnd());
}

function headline(report: TopReport, cells: number, paint: Paint): string {
  const { host, health, nowUnixMs, startUnixMs, version, self } = report;
  return fittedLine(
    [
      { text: safeText(host), style: "bold" },
      { text: `● ${safeText(health)}`, style: HEALTH_STYLES[health] },
      { text: new Date(nowUnixMs).toTimeString().slice(0, 8) },
      { text: `daemon ${safeText(version)} up ${shownAge(nowUnixMs - startUnixMs)}`, style: "dim" },
      { text: `own cost ${shownRatio(self.cpuRatio)}, ${shownBytes(self.rssBytes)}`, style: "dim" },
    ],
    cells,
    paint,
  );
}

/** Busy modes from left to right as they are drawn; each has its own letter where there are no colours. */
const MODES = [
  { name: "cpuUserRatio", label: "user", letter: "█", style: "green" },
  { name: "cpuNiceRatio", label: "nice", letter: "▓", style: "blue" },
  { name: "cpuSystemRatio", label: "sys", letter: "▒", style: "red" },
  { name: "cpuIrqRatio", label: "irq", letter: "░", style: "magenta" },
  { name: "cpuSoftirqRatio", label: "softirq", letter: "░", style: "magenta" },
  { name: "cpuIowaitRatio", label: "iowait", letter: "◦", style: "yellow" },
  { name: "cpuStealRatio", label: "steal", letter: "×", style: "cyan" },
] as const;
/** What tells of trouble is only there when there is some. */
const ALWAYS: readonly string[] = ["user", "sys"];
/** Before it is shown as 0.0 %. */
const MIN_RATIO = 0.0005;

function cpuBar(second: Second, cells: number, paint: Paint): string {
  const parts = MODES.map(
    ({ name, letter, style }): BarPart => ({ ratio: second[name] ?? 0, letter, style }),
  );
  return bar(parts, cells, paint);
}

function cpuPieces(second: Second): Piece[] {
  const idle = second["cpuIdleRatio"];
  const iowait = second["cpuIowaitRatio"] ?? 0;
  const steal = second["cpuStealRatio"] ?? 0;
  const busy = typeof idle === "number" ? Math.max(0, 1 - idle - iowait - steal) : null;
  const modes = MODES.filter(
    ({ name, label }) => ALWAYS.includes(label) || (second[name] ?? 0) >= MIN_RATIO,
  ).sort((a, b) => weightOf(a.label) - weightOf(b.label));
  return [
    { text: ratio(busy), style: "bold" },
    ...modes.map(({ name, label, style }): Piece => ({ text: `${label} ${ratio(second[name])}`, style })),
  ];
}

/** Steal and iowait are what one looks for: they come before what is left out in a narrow terminal. */
function weightOf(label: string): number {
  return ["user", "sys", "steal", "iowait", "nice", "softirq", "irq"].indexOf(label);
}

function memoryBar(second: Second, cells: number, paint: Paint): string {
  const { memUsedBytes: used, memTotalBytes: total } = second;
  return bar([{ ratio: share(used, total) ?? 0, letter: "█", style: "blue" }], cells, paint);
}

function memoryPieces(second: Second): Piece[] {
  const { memUsedBytes, memTotalBytes, memCachedBytes, swapTotalBytes, swapUsedBytes } = second;
  const swapIn = second["swapInBytesPerSecond"] ?? 0;
  const swapOut = second["swapOutBytesPerSecond"] ?? 0;
  const pieces: Piece[] = [
    { text: ratio(share(memUsedBytes, memTotalBytes)), style: "bold" },
    { text: `${bytes(memUsedBytes)} of ${bytes(memTotalBytes).trim()}` },
  ];
  if ((swapTotalBytes ?? 0) > 0)
    pieces.push({ text: `swap ${bytes(swapUsedBytes).trim()} of ${bytes(swapTotalBytes).trim()}` });
  if (swapIn > 0 || swapOut > 0)
    pieces.push({ text: `in ${bytes(swapIn).trim()}/s out ${bytes(swapOut).trim()}/s`, style: "yellow" });
  pieces.push({ text: `cached ${bytes(memCachedBytes).trim()}`, style: "dim" });
  return pieces;
}

function loadPieces({ hostSecond: second, cores }: TopReport): Piece[] {
  const loads = [second["load1"], second["load5"], second["load15"]].map((load) => load?.toFixed(2) ?? "–");
  const isMany = (second["load1"] ?? 0) > 2 * cores;
  const pieces: Piece[] = [
    { text: loads.map((load) => load.padStart(5)).join(" "), ...(isMany ? { style: "yellow" } : {}) },
    { text: `${cores} ${cores === 1 ? "core" : "cores"}` },
  ];
  const stalls = (
    [
      ["cpu", second["psiCpuSomeRatio"]],
      ["mem", second["psiMemorySomeRatio"]],
      ["io", second["psiIoSomeRatio"]],
    ] as const
  ).filter(([, some]) => typeof some === "number");
  if (stalls.length > 0)
    pieces.push({ text: `psi ${stalls.map(([name, some]) => `${name} ${ratio(some)}`).join(" ")}` });
  pieces.push({
    text: `running ${number(second["procsRunnable"])} blocked ${number(second["procsBlocked"])}`,
  });
  return pieces;
}

function diskPieces(second: Second): Piece[] {
  const busy = second["diskBusyRatio"];
  const waitMs = second["diskAwaitMs"];
  return [
    { text: `read ${bytes(second["diskReadBytesPerSecond"])}/s` },
    { text: `write ${bytes(second["diskWriteBytesPerSecond"])}/s` },
    { text: `busy ${ratio(busy)}`, ...((busy ?? 0) > 0.9 ? { style: "yellow" } : {}) },
    { text: `wait ${typeof waitMs === "number" ? `${waitMs.toFixed(1)} ms` : "–"}` },
  ];
}

function networkPieces(second: Second): Piece[] {
  const again = second["tcpRetransmitsPerSecond"] ?? 0;
  const lost = (second["netErrorsPerSecond"] ?? 0) + (second["netDropsPerSecond"] ?? 0);
  const pieces: Piece[] = [
    { text: `in   ${bytes(second["netReceiveBytesPerSecond"])}/s` },
    { text: `out   ${bytes(second["netTransmitBytesPerSecond"])}/s` },
    { text: `tcp ${number(second["tcpEstablished"])}` },
  ];
  if (again > 0) pieces.push({ text: `sent again ${again.toFixed(1)}/s`, style: "yellow" });
  if (lost > 0) pieces.push({ text: `errors and drops ${lost.toFixed(1)}/s`, style: "yellow" });
  return pieces;
}

function share(part: number | null | undefined, whole: number | null | undefined): number | null {
  return typeof part === "number" && typeof whole === "number" && whole > 0 ? part / whole : null;
}

function ratio(value: number | null | undefined): string {
  return shownRatio(typeof value === "number" && value < MIN_RATIO ? 0 : value).padStart(RATIO_CELLS);
}

function bytes(value: number | null | undefined): string {
  return (typeof value === "number" ? shownBytes(value) : "–").padStart(BYTES_CELLS);
}

function number(value: number | null | undefined): string {
  return typeof value === "number" ? String(Math.round(value)) : "–";
}
