import { addTexts } from "../translate.ts";

export const traces = {
  "traces.title": "Traces",
  "traces.note": "kept: errors, slowest, repeated calls (N+1), random sample",
  "traces.sort.slowest": "Slowest",
  "traces.sort.recent": "Newest",
  "traces.errorsOnly": "Errors only",
  "traces.repeatsOnly": "Repeated calls only",
  "traces.repeats": "{count} × {name} below one span",
  "traces.reason.error": "error",
  "traces.reason.slow": "slow",
  "traces.reason.n_plus_one": "repeated calls",
  "traces.reason.random": "sample",
  "traces.reason.fetched": "fetched",
  "traces.reason.unfinished": "not ended",
  "traces.cause": "Cause",
  "traces.ofAction": "of {action}",
  "traces.allActions": "of all actions",
  "traces.limited": "The first {count} are shown; narrow the time range for others.",
  "traces.error": "Error",
  "traces.ok": "OK",
} as const;

addTexts(traces, async () => (await import("../zh/traces.ts")).traces);
