import type { AppEventCurve, RuntimeFrame, SecondsTable } from "@apm-daemon/protocol";

/** The curve of a process: as it was sampled, or, where nobody sampled it, as its RUNTIME frames (newest first) tell. */
export function curveOf(sampled: SecondsTable | null, frames: readonly RuntimeFrame[]): AppEventCurve {
  if (sampled === null || sampled.tsSec.length === 0) return curveOfFrames(frames);
  const column = (name: string): (number | null)[] => sampled.columns[name] ?? sampled.tsSec.map(() => null);
  return {
    tsSec: sampled.tsSec,
    rssBytes: column("rssBytes"),
    cpuRatio: column("cpuRatio"),
    heapUsedBytes: column("heapUsedBytes"),
    eventLoopDelayP99Ms: column("eventLoopDelayP99Ms"),
  };
}

/** Seconds ascend and differ, also when the app's clock was set while it ran. */
function curveOfFrames(newestFirst: readonly RuntimeFrame[]): AppEventCurve {
  const bySecond = new Map<number, RuntimeFrame>();
  for (const frame of newestFirst) {
    const tsSec = Math.floor(frame.unixMs / 1_000);
    if (tsSec >= 0 && tsSec <= 4_294_967_295 && !bySecond.has(tsSec)) bySecond.set(tsSec, frame);
  }
  const rows = [...bySecond].sort(([a], [b]) => a - b);
  const unknown = rows.map(() => null);
  return {
    tsSec: rows.map(([tsSec]) => tsSec),
    rssBytes: unknown,
    cpuRatio: unknown,
    heapUsedBytes: rows.map(([, frame]) => frame.heapUsedBytes),
    eventLoopDelayP99Ms: rows.map(([, frame]) => frame.eventLoopDelayP99Ms),
  };
}
