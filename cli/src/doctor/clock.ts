import { existsSync } from "node:fs";
import type { Examined } from "./examined.ts";
import { type Finding, unseen, warning, well } from "./finding.ts";

const WHAT = "clock";
const MAX_SKEW_MS = 5_000;

/** Who sets this host's clock, as far as it leaves a trace that anybody may read. */
const SYNCED_BY = [
  { file: "/run/systemd/timesync/synchronized", found: "set by systemd-timesyncd" },
  { file: "/run/chrony/chronyd.pid", found: "chronyd runs" },
  { file: "/run/chronyd.pid", found: "chronyd runs" },
  { file: "/run/ntpd.pid", found: "ntpd runs" },
] as const;

/** This host's clock against the collector's: rows are labelled by the one and asked for by the other. */
export function checkClock({ collector }: Examined): Finding[] {
  const synced = SYNCED_BY.find(({ file }) => existsSync(file))?.found ?? "no time service seen on this host";
  const answers = collector === null ? [] : [collector.server, collector.health];
  const skewMs = answers
    .map((answer) => (answer instanceof Error ? null : answer.skewMs))
    .find((ms) => ms !== null);
  if (skewMs === undefined) return [unseen(WHAT, `${synced}; no collector to compare with`)];
  const side = skewMs > 0 ? "behind" : "ahead of";
  const found = `${shownSkew(Math.abs(skewMs))} ${side} the collector's; ${synced}`;
  if (Math.abs(skewMs) > MAX_SKEW_MS)
    return [warning(WHAT, found, "timedatectl set-ntp true, here and at the collector")];
  return [
    well(WHAT, `agrees with the collector's within ${Math.ceil(Math.abs(skewMs) / 1_000) || 1} s; ${synced}`),
  ];
}

function shownSkew(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3_600)} h`;
}
