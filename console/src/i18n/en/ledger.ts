import { addTexts } from "../translate.ts";

export const ledger = {
  "ledger.title": "Loss ledger of {name}",
  "ledger.close": "Close",
  "ledger.spans":
    "Of {created} spans that ended in this time, {stored} are stored, {lost} are lost and {inFlight} are on their way.",
  "ledger.seconds":
    "Of {created} seconds between the first and the last that arrived, {stored} are stored and {lost} are missing.",
  "ledger.unknown": "Nothing is known of this time.",
  "ledger.nothing": "Nothing is missing.",
  "ledger.reason": "Why",
  "ledger.lost": "Lost",
  "ledger.when": "When",
  "ledger.missing": "Missing",
  "ledger.gapHint":
    "In these seconds the daemon did not run, or the host stood still or was too busy to be sampled. The longest are listed; of old ones only the minute or hour is known.",
  "ledger.reason.agent_ring_full": "The app's memory for spans was full: no daemon took them",
  "ledger.reason.agent_overhead": "The agent had used up its share of the app's CPU time",
  "ledger.reason.span_too_large": "The span was too large",
  "ledger.reason.agent_error": "The agent failed to record it",
  "ledger.reason.agent_stopped": "The agent was stopped",
  "ledger.reason.agent_reason_lost": "The agent dropped it; its reason did not arrive",
  "ledger.reason.frame_malformed": "The daemon could not read it",
  "ledger.reason.corrupt": "The journal on the host's disk was damaged",
  "ledger.reason.journal_full": "The journal was full before it was counted",
  "ledger.reason.app_crash_window": "In the app's memory when it was killed",
  "ledger.reason.outbox_full": "It waited too long for the collector: the outbox was full",
  "ledger.reason.outbox_corrupt": "A batch in the outbox was damaged",
  "ledger.reason.dead_letter": "The collector refused it",
  "ledger.reason.unexplained": "Nobody knows: a bug",
} as const;

addTexts(ledger, async () => (await import("../zh/ledger.ts")).ledger);
