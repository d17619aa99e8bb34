import { addTexts } from "../translate.ts";

export const map = {
  "map.title": "Service map",
  "map.note": "who calls whom; numbers are the callers' own",
  "map.view": "Shown as",
  "map.view.picture": "Picture",
  "map.view.table": "Table",
  "map.caller": "Caller",
  "map.called": "Called",
  "map.group.app": "{count} other apps",
  "map.group.database": "{count} other databases",
  "map.group.cache": "{count} other caches",
  "map.group.external": "{count} other services",
  "map.kind.app": "App",
  "map.kind.database": "Database",
  "map.kind.cache": "Cache",
  "map.kind.external": "External",
  "map.rate": "{count}/min",
  "map.errors": "{share} failed",
  "map.edge": "{from} calls {to}: {figures}",
  "map.alone": "Apps that called nothing: {apps}",
  "map.noCalls": "No app called anything in this time range",
  "map.noCallsHint":
    "Calls to databases, caches and other services appear here by themselves. Choose a longer range, or use the apps.",
  "map.limited": "Only the calls with most time are shown.",
  "map.joined":
    "A service is drawn as an app where kept traces go on there; behind a balancer of several apps, or a broker, it stays a service.",
  "map.sort.time": "Time consumed",
  "map.sort.calls": "Calls",
  "map.sort.avg": "Slowest on average",
  "map.sort.errors": "Error rate",
} as const;

addTexts(map, async () => (await import("../zh/map.ts")).map);
