import { addTexts } from "../translate.ts";

export const live = {
  "live.offline":
    "Not live, because no daemon is connected: {hosts}. Stored data are shown; start the daemon there.",
  "live.old":
    "Not live, because the daemon is too old: {hosts}. Live mode needs daemon {since} or newer; stored data are shown.",
  "live.polling": "The live connection does not get through; the page asks again and again instead.",
  "live.requests": "Requests",
  "live.requestsNote": "per second, as the daemons count them",
  "live.errors": "Errors",
  "live.avg": "Response time",
  "live.waiting": "Waiting for the first second…",
} as const;

addTexts(live, async () => (await import("../zh/live.ts")).live);
