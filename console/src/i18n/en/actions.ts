import { addTexts } from "../translate.ts";

export const actions = {
  "actions.title": "Actions",
  "actions.total": "Shares of {time} in all",
  "actions.top5": "top 5: {share}",
  "actions.kind.web": "Web",
  "actions.kind.background": "Background",
  "actions.kind.all": "All",
  "actions.sort.time": "Time consumed",
  "actions.sort.slowest": "Slowest",
  "actions.sort.dissatisfaction": "Most dissatisfying",
  "actions.sort.throughput": "Throughput",
  "actions.sort.errors": "Errors",
  "actions.filter": "Filter actions",
  "actions.callees": "Calls made by this action",
} as const;

addTexts(actions, async () => (await import("../zh/actions.ts")).actions);
