import { randomBytes } from "node:crypto";
import type { AppEvent, AppEventEvidence, AppEventKind } from "@apm-daemon/protocol";
import type { StatementTexts } from "../traces/span-statements.ts";
import { fitEvent } from "./fit-event.ts";
import type { InstanceMemory } from "./instance-memory.ts";
import { type FrameArchive, readLastCalls, readRuntimeFrames } from "./last-calls.ts";
import { curveOf } from "./last-seconds.ts";
import type { MemoryCounters } from "./memory-cgroup.ts";
import type { ProcessState } from "./process-state.ts";
import { titleOf } from "./verdict.ts";

const MAX_CALLS = 20;

export interface EndedProcess {
  kind: AppEventKind;
  memory: InstanceMemory;
  /** What the kernel said of it at its end; null when it was gone already, or could never be looked at. */
  process: ProcessState | null;
  /** The counters after its end. */
  after: MemoryCounters;
  /** Since when it may have ended; the end is before `after` at the latest. */
  notBeforeUnixMs: number;
  notAfterUnixMs: number;
  wasRestarted: boolean;
  /** Spans that the process had counted and that will not come, as far as known. */
  spansLost: number;
}

/** Puts together what was remembered of a process that has ended; reads its last calls back from the journal. */
export function reportOf(archive: FrameArchive, ended: EndedProcess, texts: StatementTexts): AppEvent {
  const { kind, memory, notAfterUnixMs } = ended;
  const { bye } = memory;
  const { app, instance, pid, runtime, startUnixMs, lastHeardUnixMs } = memory.record;
  try {
    const frames = readRuntimeFrames(archive, memory.runtimeFrames.newestFirst());
    const newest = memory.lastRuntime?.frame ?? frames[0] ?? null;
    const evidence = evidenceOf(ended);
    const exitCode = bye?.exitCode ?? null;
    const error = bye?.error ?? null;
    const { wasRestarted } = ended;
    return fitEvent({
      id: randomBytes(16).toString("hex"),
      tsMs: kind === "vanished" ? lastHeardUnixMs : notAfterUnixMs,
      app,
      instance,
      pid,
      runtime,
      startUnixMs,
      kind,
      title: titleOf({ kind, exitCode, error, evidence, wasRestarted }),
      exitCode,
      error,
      evidence,
      inFlight: newest?.inFlight ?? [],
      inFlightUnixMs: newest === null ? null : (memory.lastRuntime?.unixMs ?? lastHeardUnixMs),
      lastCalls: readLastCalls(archive, memory.spansFrames.newestFirst(), MAX_CALLS, texts),
      curve: curveOf(memory.lost?.seconds ?? null, frames),
      crashWindowMs: crashWindowOf(ended),
      spansLostAtLeast: ended.spansLost,
    });
  } finally {
    archive.endReading();
  }
}

/** A goodbye is the last thing that a process says, after all its spans. */
function crashWindowOf({ memory, notAfterUnixMs }: EndedProcess): number | null {
  if (memory.bye !== null) return 0;
  const last = memory.lastFrameUnixMs;
  return last === null ? null : Math.max(0, notAfterUnixMs - last);
}

function evidenceOf(ended: EndedProcess): AppEventEvidence {
  const { memory, after, process } = ended;
  const { cgroup, before } = memory.record;
  const rss = newestRss(memory);
  return {
    connection: memory.lost?.end ?? "none",
    signal: process?.signal ?? null,
    exitStatus: process?.exitStatus ?? null,
    cgroup: cgroup?.path ?? "",
    cgroupVersion: cgroup?.version ?? null,
    cgroupProcesses: before?.processes ?? null,
    oomKills: increase(before?.oomKills, after.oomKills),
    hostOomKills: increase(before?.hostOomKills, after.hostOomKills),
    countersUnixMs: before?.unixMs ?? null,
    memoryLimitBytes: after.limitBytes ?? before?.limitBytes ?? null,
    memoryUsedBytes: before?.usedBytes ?? null,
    memoryLimitHits: increase(before?.limitHits, after.limitHits),
    rssBytes: rss?.bytes ?? null,
    rssUnixMs: rss?.unixMs ?? null,
    notBeforeUnixMs: ended.notBeforeUnixMs,
    notAfterUnixMs: ended.notAfterUnixMs,
  };
}

/** Null when one of them is unknown, or the counter began anew. */
function increase(before: number | null | undefined, after: number | null): number | null {
  if (before === null || before === undefined || after === null || after < before) return null;
  return after - before;
}

/** A second is named by its start and measured at its end. */
function newestRss(memory: InstanceMemory): { bytes: number; unixMs: number } | null {
  const seconds = memory.lost?.seconds;
  if (seconds === undefined || seconds === null) return null;
  for (let i = seconds.tsSec.length - 1; i >= 0; i--) {
    const bytes = seconds.columns["rssBytes"]?.[i] ?? null;
    if (bytes !== null) return { bytes, unixMs: ((seconds.tsSec[i] ?? 0) + 1) * 1_000 };
  }
  return null;
}
