import type { AskedHost } from "@apm-daemon/protocol";
import type { Paint } from "../terminal/paint.ts";
import { shownAge, shownCount } from "../terminal/quantities.ts";
import { safeText } from "../terminal/safe-text.ts";
import { tableLines } from "../terminal/table.ts";

/** Why an answer is not the whole one. */
const GAPS: Readonly<Record<string, string>> = {
  deadline: "its search ran out of time",
  too_large: "that is all one answer can carry",
  unreadable: "part of its journal is unreadable",
  malformed: "part of its answer was unusable",
  connection_lost: "its connection broke meanwhile",
};

/** What became of the question to each host; first those that could not answer, or not wholly. */
export function hostLines(hosts: readonly AskedHost[], nowUnixMs: number, paint: Paint): string[] {
  const isSure = ({ state, gap }: AskedHost): boolean =>
    gap === "" && (state === "found" || state === "nothing");
  const sure = hosts.filter(isSure);
  const unsure = hosts.filter((host) => !isSure(host));
  return [
    ...(unsure.length === 0
      ? []
      : [
          paint("yellow", "More spans may exist; these hosts could not say all they know:"),
          ...rows(unsure, nowUnixMs),
        ]),
    ...(sure.length === 0
      ? []
      : [paint("dim", "Answered in full:"), ...rows(sure, nowUnixMs).map((line) => paint("dim", line))]),
    ...(hosts.length === 0 ? ["No host is connected to ask."] : []),
  ];
}

function rows(hosts: readonly AskedHost[], nowUnixMs: number): string[] {
  const cells = hosts.map((host) => [safeText(host.host), sentenceOf(host, nowUnixMs)]);
  const columns = [
    { title: "", align: "left" },
    { title: "", align: "left" },
  ] as const;
  return tableLines(columns, cells)
    .slice(1)
    .map((line) => `  ${line}`);
}

function sentenceOf(
  { state, spans, oldestUnixMs, lastSeenUnixMs, gap }: AskedHost,
  nowUnixMs: number,
): string {
  const reach = oldestUnixMs === null ? null : shownAge(nowUnixMs - oldestUnixMs);
  const why = gap === "" ? "" : (GAPS[gap] ?? safeText(gap));
  switch (state) {
    case "found":
      return `${shownCount(spans)} ${spans === 1 ? "span" : "spans"}${why === "" ? "" : `, maybe more: ${why}`}`;
    case "nothing":
      if (why !== "") return `nothing found, but ${why}`;
      return reach === null ? "nothing: its journal is empty" : `nothing; its journal reaches back ${reach}`;
    case "past_ring":
      return `overwritten: its journal reaches back ${reach ?? "a moment"} only`;
    case "offline":
      return lastSeenUnixMs === null
        ? "offline"
        : `offline, last heard of ${shownAge(nowUnixMs - lastSeenUnixMs)} ago`;
    case "silent":
      return gap === "connection_lost"
        ? "its connection broke meanwhile"
        : "connected, but no answer in time";
    case "busy":
      return "busy with other questions; try again in some seconds";
  }
  return safeText(state satisfies never);
}
