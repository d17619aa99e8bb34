import { addTexts } from "../translate.ts";

export const ends = {
  "ends.title": "How processes ended",
  "ends.note": "without a goodbye, or with an error; newest first",
  "ends.died": "Processes that died",
  "ends.diedNote": "last 24 h, newest first",
  "ends.noneDied": "None.",
  "ends.kind": "How",
  "ends.time": "When",
  "ends.crash": "crash",
  "ends.exit": "exit",
  "ends.vanished": "vanished",
  "ends.process": "Process",
  "ends.lived": "Lived",
  "ends.limit": "Memory limit",
  "ends.rss": "Memory at the end",
  "ends.oomKills": "Out-of-memory kills",
  "ends.unknown": "Not known",
  "ends.unknownNote": "{window} before the end; at least {spans} spans lost",
  "ends.inFlight": "In flight at {time}",
  "ends.noInFlight": "No request older than 1 s was in flight.",
  "ends.age": "Age",
  "ends.lastCalls": "Last calls",
  "ends.before": "Before the end",
  "ends.noCalls": "No calls to databases or services are in the report.",
  "ends.stack": "Stack",
  "ends.delay": "Event-loop delay",
  "ends.heap": "V8 heap",
} as const;

addTexts(ends, async () => (await import("../zh/ends.ts")).ends);
