/**
 * The sentence of an event. It claims what its evidence shows and no more: without a status from the kernel a kill by a
 * person, a crash in native code and a stop signal that the app does not handle look the same, and the sentence says so.
 */
import { constants } from "node:os";
import type { AppEvent, AppEventEvidence } from "@apm-daemon/protocol";

type Ended = Pick<AppEvent, "kind" | "exitCode" | "error" | "evidence"> & { wasRestarted: boolean };

const MIB = 1_048_576;
const GIB = 1_024 * MIB;
const MAX_TITLE_CHARS = 512;

export function titleOf(ended: Ended): string {
  const title = sentenceOf(ended);
  return title.length <= MAX_TITLE_CHARS ? title : `${title.slice(0, MAX_TITLE_CHARS - 1)}…`;
}

/** Signals by which people and service managers ask a process to end. */
export function isStopSignal(signal: number | null): boolean {
  return signal !== null && ["SIGTERM", "SIGINT", "SIGHUP"].includes(signalName(signal));
}

function sentenceOf({ kind, exitCode, error, evidence, wasRestarted }: Ended): string {
  if (kind === "exit") {
    const cause = error === null ? "" : `: ${error.type}${error.message === "" ? "" : `: ${error.message}`}`;
    return `exited with code ${exitCode}${cause}`;
  }
  if (kind === "vanished") {
    if (wasRestarted) return "ended while the daemon was away: the host was restarted meanwhile";
    const oom = outOfMemory(evidence);
    return oom === null
      ? "ended while the daemon was away: how is not known"
      : `${oom}, while the daemon was away`;
  }
  return outOfMemory(evidence) ?? bySignal(evidence) ?? unknownEnd(evidence);
}

/** Null when nothing speaks for it. */
function outOfMemory(evidence: AppEventEvidence): string | null {
  const { signal, exitStatus, oomKills, hostOomKills, cgroupProcesses, memoryLimitBytes } = evidence;
  // The kernel kills by SIGKILL and nothing else.
  if ((signal !== null && signal !== constants.signals.SIGKILL) || exitStatus !== null) return null;
  const figures = figuresOf(evidence);
  if (oomKills !== null && oomKills > 0) {
    const place = placeOf(evidence);
    if (cgroupProcesses === 1) return `killed by the kernel: out of memory ${place}${figures}`;
    const others = cgroupProcesses === null ? "others" : `${cgroupProcesses} processes`;
    return `most likely killed by the kernel: ${kills(oomKills)} counted in the cgroup that ${others} shared${figures}`;
  }
  // Its cgroup went with it: only the host's count is left.
  if (oomKills === null && hostOomKills !== null && hostOomKills > 0) {
    const limit = memoryLimitBytes === null ? "" : ", its own cgroup cannot be read any more";
    return `perhaps killed by the kernel: ${kills(hostOomKills)} counted on the host meanwhile${limit}${figures}`;
  }
  return null;
}

function placeOf({ memoryLimitBytes, memoryLimitHits }: AppEventEvidence): string {
  if (memoryLimitBytes === null) return "on the host";
  return memoryLimitHits !== null && memoryLimitHits > 0 ? "in its cgroup" : "in its cgroup or on the host";
}

function kills(count: number): string {
  return count === 1 ? "1 out-of-memory kill was" : `${count} out-of-memory kills were`;
}

function bySignal({ signal, exitStatus, oomKills }: AppEventEvidence): string | null {
  if (exitStatus !== null) return `ended with exit status ${exitStatus} and without a goodbye`;
  if (signal === null) return null;
  const name = signalName(signal);
  if (name === "SIGKILL")
    return oomKills === 0
      ? "killed by SIGKILL: no out-of-memory kill was counted, so somebody sent it"
      : "killed by SIGKILL: whether somebody sent it or memory ran out cannot be told";
  if (name === "SIGABRT") return "aborted (SIGABRT), as Node does when its heap is full";
  if (isStopSignal(signal)) return `stopped by ${name} with requests in flight`;
  return `crashed: ${name}`;
}

function unknownEnd({ oomKills, connection }: AppEventEvidence): string {
  const oom =
    oomKills === 0
      ? "no out-of-memory kill was counted"
      : "whether memory ran out cannot be told, its memory cgroup cannot be read";
  const how =
    connection === "refused" ? "after the daemon had refused it" : "the connection broke without a goodbye";
  return `killed or crashed: ${how}; ${oom}`;
}

function figuresOf({ memoryLimitBytes, rssBytes, rssUnixMs, notAfterUnixMs }: AppEventEvidence): string {
  const figures: string[] = [];
  if (memoryLimitBytes !== null) figures.push(`limit ${bytesText(memoryLimitBytes)}`);
  if (rssBytes !== null && rssUnixMs !== null) {
    const seconds = Math.max(0, Math.round((notAfterUnixMs - rssUnixMs) / 1_000));
    figures.push(`RSS ${bytesText(rssBytes)} ${seconds < 1 ? "less than a second" : `${seconds} s`} before`);
  }
  return figures.length === 0 ? "" : ` (${figures.join(", ")})`;
}

function bytesText(bytes: number): string {
  return bytes >= GIB ? `${(bytes / GIB).toFixed(1)} GiB` : `${Math.round(bytes / MIB)} MiB`;
}

function signalName(signal: number): string {
  const found = Object.entries(constants.signals).find(([, number]) => number === signal);
  return found?.[0] ?? `signal ${signal}`;
}
