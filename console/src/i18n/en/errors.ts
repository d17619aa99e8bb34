import { addTexts } from "../translate.ts";

export const errors = {
  "errors.classes": "Errors by class",
  "errors.perMinute": "per minute",
  "errors.others": "others ({count})",
  "errors.groups": "Errors",
  "errors.groupsNote": "alike ones together",
  "errors.total": "{count} in all",
  "errors.new": "new",
  "errors.newHint": "First seen in this time range, as far as data are kept.",
  "errors.first": "First seen",
  "errors.trend": "Trend",
  "errors.before": "{when}",
  "errors.noMessage": "(no message)",
  "errors.sort.new": "New first",
  "errors.sort.count": "Count",
  "errors.sort.last": "Last seen",
  "errors.limited": "The {count} most frequent are shown.",
  "errors.emptyHint":
    "Recorded are uncaught errors, and requests that end with status 500 or above. Choose a longer range to look back.",
  "errors.back": "All errors",
  "errors.gone": "No such error in this time range",
  "errors.goneHint": "Choose a longer range, or go back to those that happened.",
  "errors.stack": "Stack of the newest",
  "errors.noStack": "The app gave no stack.",
  "errors.places": "Where it happened",
  "errors.samples": "Traces that show it",
  "errors.samplesNote": "newest first",
  "errors.noSamples": "No kept trace shows it",
  "errors.noSamplesHint":
    "Of each action and window at most traces.errors_per_action failed requests are kept. Choose a longer range.",
  "errors.noEnds": "No process ended without a goodbye, or with an error",
  "errors.noEndsHint":
    "When one does, its last minute, its requests in flight and its last calls stand here.",
} as const;

addTexts(errors, async () => (await import("../zh/errors.ts")).errors);
