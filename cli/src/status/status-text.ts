import type {
  RecoveryStatus,
  SamplingStatus,
  StatusEvent,
  StatusReport,
  StatusUser,
} from "@apm-daemon/protocol";
import type { Paint } from "../terminal/paint.ts";
import { shownAge, shownBytes, shownCount, shownMs, shownRatio } from "../terminal/quantities.ts";
import { safeText } from "../terminal/safe-text.ts";
import { tableLines } from "../terminal/table.ts";
import { deploymentText, recordedText } from "./app-details.ts";
import { settingsLines } from "./settings-lines.ts";

const HEALTH_STYLES = { ok: "green", degraded: "yellow", failing: "red" } as const;

const MAX_EVENTS_SHOWN = 5;

/** A status report as a page of text, without a newline at its end. */
export function statusText(status: StatusReport, nowUnixMs: number, paint: Paint): string {
  return [
    headline(status, nowUnixMs, paint),
    ...status.problems.map((problem) => `  ${paint(HEALTH_STYLES[status.health], "!")} ${safeText(problem)}`),
    "",
    ...hostLines(status, paint),
    "",
    ...appLines(status, paint),
    "",
    ...settingsLines(status, paint),
    ...eventLines(status.events ?? [], nowUnixMs, paint),
    ...dataLines(status, nowUnixMs, paint),
  ].join("\n");
}

function headline(status: StatusReport, nowUnixMs: number, paint: Paint): string {
  const health = paint(HEALTH_STYLES[status.health], `● ${status.health}`);
  const own = `own cost ${shownRatio(status.self.cpuRatio)} of a core, ${shownBytes(status.self.rssBytes)}`;
  const facts = [
    `apm-daemon ${safeText(status.version)}`,
    `pid ${status.pid}`,
    `up ${shownAge(nowUnixMs - status.startUnixMs)}`,
    own,
  ];
  return `${paint("bold", safeText(status.host))}  ${health}  ${paint("dim", facts.join(" · "))}`;
}

function hostLines({ hostSecond: second, sampling }: StatusReport, paint: Paint): string[] {
  const { cpuIdleRatio } = second;
  const busy = typeof cpuIdleRatio === "number" ? 1 - cpuIdleRatio : null;
  const parts = [
    [
      "cpu",
      `${shownRatio(busy)}  iowait ${shownRatio(second.cpuIowaitRatio)}  steal ${shownRatio(second.cpuStealRatio)}`,
    ],
    ["load", [second.load1, second.load5, second.load15].map((load) => load?.toFixed(2) ?? "–").join("  ")],
    [
      "memory",
      `${bytes(second.memUsedBytes)} of ${bytes(second.memTotalBytes)}  swap ${bytes(second.swapUsedBytes)}`,
    ],
    [
      "disks",
      `${shownRatio(second.diskBusyRatio)} busy  read ${bytes(second.diskReadBytesPerSecond)}/s  write ${bytes(second.diskWriteBytesPerSecond)}/s`,
    ],
    [
      "network",
      `in ${bytes(second.netReceiveBytesPerSecond)}/s  out ${bytes(second.netTransmitBytesPerSecond)}/s`,
    ],
  ];
  const processes = sampling?.processes;
  if (processes != null) parts.push(["procs", processesText(processes)]);
  return labelled("Host", parts, paint);
}

function processesText(processes: NonNullable<SamplingStatus["processes"]>): string {
  const { count, idleEverySec, ioHidden = 0 } = processes;
  const parts = [shownCount(count)];
  if (idleEverySec > 1) parts.push(`those that use no CPU are read every ${idleEverySec} s`);
  if (ioHidden > 0)
    parts.push(
      `disk work of ${shownCount(ioHidden)} is hidden: CAP_SYS_PTRACE shows it, the drop-in more-processes.conf gives it`,
    );
  return parts.join(", ");
}

function appLines(status: StatusReport, paint: Paint): string[] {
  if (status.apps.length === 0) {
    return [paint("bold", "Apps"), `  none yet; start one with: apm run --name my-app node app.js`];
  }
  const rows = status.apps.map((app) => [
    safeText(app.app),
    shownCount(app.throughputRpm),
    shownRatio(app.requests === 0 ? null : app.errors / app.requests),
    app.apdex?.toFixed(2) ?? "–",
    shownMs(app.avgMs),
    `${app.instances.length}${app.instances.some(({ origin }) => origin === "claimed") ? " claimed" : ""}`,
    shownRatio(sum(app.instances.map((instance) => instance.cpuRatio))),
    bytes(sum(app.instances.map((instance) => instance.rssBytes))),
  ]);
  const [titles = "", ...lines] = tableLines(
    [
      { title: "Apps", align: "left" },
      { title: "requests/min", align: "right" },
      { title: "errors", align: "right" },
      { title: "Apdex", align: "right" },
      { title: "average", align: "right" },
      { title: "processes", align: "right" },
      { title: "cpu", align: "right" },
      { title: "memory", align: "right" },
    ],
    rows.map(([name = "", ...cells]) => [`  ${name}`, ...cells]),
  );
  const described = status.apps.flatMap((app, i) => {
    const details = [deploymentText(app), recordedText(app)].filter((text) => text !== "");
    return [lines[i] ?? "", ...details.map((text) => paint("dim", `    ${text}`))];
  });
  return [paint("bold", titles), ...described, ...limitedLines(status, paint)];
}

/** Apps whose agents leave spans out to stay within their budget. */
function limitedLines({ apps }: StatusReport, paint: Paint): string[] {
  return apps.flatMap(({ app, instances }) => {
    const limited = instances.filter(({ recording = "everything" }) => recording !== "everything");
    if (limited.length === 0) return [];
    const ratio = Math.max(...limited.map(({ overheadRatio = 0 }) => overheadRatio));
    const what = limited.some(({ recording }) => recording === "requests")
      ? "requests alone"
      : "requests, errors and slow calls alone";
    const sentence = `  ${safeText(app)}: ${limited.length} of ${instances.length} processes record ${what}: everything would cost ${shownRatio(ratio)} of their processor time; settings.overhead_budget sets the limit`;
    return [paint("yellow", sentence)];
  });
}

/** How apps' processes ended, newest first; nothing when none did. */
function eventLines(events: readonly StatusEvent[], nowUnixMs: number, paint: Paint): string[] {
  if (events.length === 0) return [];
  const rows = events
    .slice(0, MAX_EVENTS_SHOWN)
    .map(({ tsMs, app, pid, title }) => [
      `  ${shownAge(nowUnixMs - tsMs)} ago`,
      safeText(app),
      String(pid),
      safeText(title),
    ]);
  const [titles = "", ...lines] = tableLines(
    [
      { title: "Ended", align: "left" },
      { title: "app", align: "left" },
      { title: "pid", align: "right" },
      { title: "how", align: "left" },
    ],
    rows,
  );
  return [paint("bold", titles), ...lines, ""];
}

function dataLines(status: StatusReport, nowUnixMs: number, paint: Paint): string[] {
  const { intake, journal, outbox } = status;
  const oldest =
    outbox.oldestUnixMs === null ? "" : `, the oldest of ${shownAge(nowUnixMs - outbox.oldestUnixMs)} ago`;
  const lost = lostText(status.dropped);
  return labelled(
    "Data",
    [
      [
        "spans",
        `${shownCount(intake.spans)} in ${counted(intake.frames, "frame")}, ${shownBytes(intake.bytes)}; ${counted(intake.connections, "connection")}, ${shownCount(intake.refused)} refused, ${shownCount(intake.malformed)} malformed${irregularText(status)}`,
      ],
      ...usersLines(intake, paint),
      [
        "journal",
        `${shownBytes(journal.bytes)} of ${shownBytes(journal.capBytes)} in ${counted(journal.segments, "segment")}; ${shownBytes(Math.max(0, journal.position - journal.sealed))} not sealed yet`,
      ],
      [
        "outbox",
        `${counted(outbox.batches, "batch", "batches")}, ${shownBytes(outbox.bytes)} of ${shownBytes(outbox.capBytes)}${oldest}`,
      ],
      ["uplink", uplinkText(status.uplink, nowUnixMs)],
      ...(status.recovery === undefined ? [] : [["recovery", recoveryText(status.recovery, paint)]]),
      ["lost", lost === "" ? "nothing" : paint("yellow", lost)],
      ["socket", safeText(status.agentSocket)],
    ],
    paint,
  );
}

/** Who sends how much, where there is more than one user or one has to wait; and when nothing of that is proven. */
function usersLines(
  { origin, users = [], refusedBy = {} }: StatusReport["intake"],
  paint: Paint,
): string[][] {
  const lines: string[][] = [];
  if (origin === "claimed")
    lines.push(["origin", paint("yellow", "claimed: uid and pid of the apps are not proven by the kernel")]);
  if (users.length > 1 || users.some(({ isThrottled, refused }) => isThrottled || refused > 0))
    lines.push(["users", users.map((user) => userText(user, paint)).join("; ")]);
  const reasons = Object.entries(refusedBy).map(
    ([reason, count]) => `${shownCount(count)} ${safeText(reason.replaceAll("_", " "))}`,
  );
  if (reasons.length > 0) lines.push(["refused", reasons.join(", ")]);
  return lines;
}

function userText(user: StatusUser, paint: Paint): string {
  const who = user.uid === null ? "not proven" : safeText(user.name);
  const speed = `${counted(user.connections, "connection")}, ${shownBytes(user.bytesPerSecond)}/s`;
  const refused = user.refused === 0 ? "" : `, ${shownCount(user.refused)} refused`;
  const waits =
    user.throttledMs < 1_000 && !user.isThrottled
      ? ""
      : `, ${paint(user.isThrottled ? "yellow" : "dim", `${user.isThrottled ? "throttled" : "was throttled"} ${shownAge(user.throttledMs)}`)}`;
  return `${who} ${speed}${refused}${waits}`;
}

/** What happens seldom, when it did. */
function irregularText({ intake, traces }: StatusReport): string {
  const counts: [number | undefined, string][] = [
    [intake.duplicates, "repeated"],
    [intake.sequenceJumps, "out of sequence"],
    [traces?.passedOver, "traces passed over"],
    [intake.falsePids, "with a false pid"],
  ];
  return counts.map(([count, what]) => (count ? `, ${shownCount(count)} ${what}` : "")).join("");
}

function uplinkText(uplink: StatusReport["uplink"], nowUnixMs: number): string {
  const reason = uplink.reason === "" ? "" : ` (${safeText(uplink.reason)})`;
  const last =
    uplink.lastAckUnixMs === null
      ? "nothing acknowledged yet"
      : `last acknowledged ${shownAge(nowUnixMs - uplink.lastAckUnixMs)} ago`;
  return `${uplink.state}${reason}, ${safeText(uplink.url)}; ${last}; ${counted(uplink.batchesAcked, "batch", "batches")}, ${shownBytes(uplink.bytesSent)} sent`;
}

/** What the start made of what the run before had left. */
function recoveryText(recovery: RecoveryStatus, paint: Paint): string {
  const counts: [number, string][] = [
    [recovery.unreadableBytes, `${shownBytes(recovery.unreadableBytes)} of the journal unreadable`],
    [recovery.quarantinedBytes, `${shownBytes(recovery.quarantinedBytes)} of it kept in journal/quarantine`],
    [
      recovery.quarantinedBatches,
      counted(recovery.quarantinedBatches, "unreadable batch", "unreadable batches"),
    ],
    [
      recovery.unknownVersionFiles.length,
      `${counted(recovery.unknownVersionFiles.length, "file")} of a later release`,
    ],
  ];
  const damage = counts.flatMap(([count, text]) => (count > 0 ? [text] : [])).join(", ");
  const found = `${shownCount(recovery.framesFound)} frames found, ${shownCount(recovery.framesReplayed)} frames counted again, ${counted(recovery.waitingBatches, "batch", "batches")} waiting, in ${shownMs(recovery.durationMs)}`;
  const cursor = recovery.cursor === "lost" ? `; ${paint("yellow", "how far it had come is lost")}` : "";
  return `${found}${damage === "" ? "" : `; ${paint("yellow", damage)}`}${cursor}`;
}

function lostText(dropped: StatusReport["dropped"]): string {
  return Object.entries(dropped)
    .flatMap(([app, reasons]) => Object.entries(reasons).map(([reason, spans]) => ({ app, reason, spans })))
    .filter(({ spans }) => spans > 0)
    .map(({ app, reason, spans }) => `${shownCount(spans)} spans of ${safeText(app)} (${safeText(reason)})`)
    .join(", ");
}

function labelled(title: string, parts: readonly (readonly string[])[], paint: Paint): string[] {
  return [
    paint("bold", title),
    ...parts.map(([label = "", text = ""]) => `  ${paint("dim", label.padEnd(8))} ${text}`),
  ];
}

function bytes(value: number | null | undefined): string {
  return value === null || value === undefined ? "–" : shownBytes(value);
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${shownCount(count)} ${count === 1 ? one : many}`;
}

/** Sum of what is known; null when nothing is. */
function sum(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((a, b) => a + b, 0);
}
