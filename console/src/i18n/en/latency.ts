import { addTexts } from "../translate.ts";

export const latency = {
  "latency.title": "How long requests took",
  "latency.note": "all requests; colour: how many",
  "latency.tracesNote": "the {count} slowest kept traces; filled: with a cause, ✕: failed",
  "latency.view.heat": "Heatmap",
  "latency.view.traces": "Kept traces",
  "latency.keys":
    "Arrow keys move the cursor, Shift with arrows draws a rectangle, Enter selects, Escape takes it away.",
  "latency.hint": "{count} requests. Drag a rectangle to see what differs in it.",
  "latency.cell": "{time} · {duration} · {requests}",
  "latency.selection": "Selection",
  "latency.selected": "{count} requests selected",
  "latency.selectedOf": "of {total}: {time}, {duration}",
  "latency.clear": "Clear selection",
  "latency.differs": "What differs",
  "latency.what": "More often in the selection",
  "latency.inSelection": "Selection",
  "latency.inRest": "Rest",
  "latency.basis": "Counted over",
  "latency.allRequests": "all requests",
  "latency.keptTraces": "kept traces",
  "latency.partOf": "{part} of {of}",
  "latency.sampled":
    "Looked at: {selected} kept traces of the selection, {rest} of the rest. Shares that differ by chance alone are left out.",
  "latency.nothing":
    "Nothing is clearly more frequent here. Looked at: {selected} kept traces of the selection, {rest} of the rest; it takes 10 of each.",
  "latency.slowest": "Slowest kept traces of the selection",
  "latency.noneKept": "No kept trace in the selection",
  "latency.noStatus": "no status",
  "latency.atLeast": "{least} or more",
  "latency.by.host": "host",
  "latency.by.status": "status code",
  "latency.by.appVersion": "app version",
  "latency.by.cause": "strongest cause of the verdict",
  "latency.by.calls": "calls",
  "latency.by.mostTimeIn": "at least half of its time in",
  "latency.by.cpuStealRatio": "CPU stolen in its seconds",
  "latency.by.psiCpuSomeRatio": "waiting for a CPU (PSI) in its seconds",
  "latency.by.psiMemorySomeRatio": "waiting for memory (PSI) in its seconds",
  "latency.by.psiIoSomeRatio": "waiting for I/O (PSI) in its seconds",
  "latency.by.gcPauseMs": "garbage collection in its seconds",
  "latency.by.eventLoopDelayP99Ms": "event-loop lag in its seconds",
} as const;

addTexts(latency, async () => (await import("../zh/latency.ts")).latency);
