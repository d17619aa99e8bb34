// What each page of the console asks the collector, by the console's own paths.
import { readFileSync } from "node:fs";
import { transformSync } from "esbuild";

const source = readFileSync(new URL("../../console/src/data/paths.ts", import.meta.url), "utf8");
const { code } = transformSync(source, { loader: "ts", format: "esm" });
const { apiPaths: api, inRange } = await import(`data:text/javascript,${encodeURIComponent(code)}`);

const HOST_METRICS = [
  "cpuUserRatio",
  "cpuSystemRatio",
  "cpuNiceRatio",
  "cpuIowaitRatio",
  "cpuIrqRatio",
  "cpuSoftirqRatio",
  "cpuStealRatio",
];
const HOST_PAGE_METRICS = HOST_METRICS.concat(
  [
    "cpuIdleRatio",
    "memTotalBytes",
    "memUsedBytes",
    "load1",
    "load5",
    "load15",
    "procsRunnable",
    "procsBlocked",
  ],
  ["psiCpuSomeRatio", "psiMemorySomeRatio", "psiIoSomeRatio", "psiIoFullRatio", "diskReadBytesPerSecond"],
  [
    "diskWriteBytesPerSecond",
    "diskBusyRatio",
    "diskAwaitMs",
    "netReceiveBytesPerSecond",
    "netTransmitBytesPerSecond",
  ],
  ["netReceivePacketsPerSecond", "netTransmitPacketsPerSecond", "tcpRetransmitsPerSecond"],
  [
    "tcpListenOverflowsPerSecond",
    "netErrorsPerSecond",
    "netDropsPerSecond",
    "tcpEstablished",
    "processCount",
  ],
  ["contextSwitchesPerSecond", "forksPerSecond"],
);
const CATEGORIES = { databases: "database", caches: "cache", external: "external" };

/** Paths that a page asks at once, by page; of an app, an action and a host. `range` in Unix ms. */
export function pageCalls({ app, action, host, range }) {
  const within = (paths) => paths.map((path) => inRange(path, range));
  const calls = (category) => [
    api.callSeries(app, { category }, "store", 5),
    api.callSeries(app, { category }, "operation", 5),
    api.operations(app, category),
  ];
  return {
    home: within([api.apps(), api.hosts(), api.verdicts(), api.ends()]),
    app: within([
      api.summary(app),
      api.appSeries(app),
      api.hosts(),
      api.hostSeries(host, HOST_METRICS),
      api.appVerdicts(app),
      api.events(app),
      api.actions(app, "web", "time"),
      api.operations(app, "database"),
      api.operations(app, "external"),
      api.slowStatements(app),
      api.statusCodes(app),
      api.errors(app),
      api.traces(app, { sort: "slowest", error: false, limit: 10 }),
      api.counters(app),
    ]),
    actions: within([api.actions(app, "web", "time")]),
    action: within([
      api.appSeries(app, action),
      api.heatmap(app, action),
      api.statusCodes(app, action),
      api.operations(app, "database", action),
      api.slowStatements(app, action),
      api.traces(app, { action, sort: "slowest", error: false, limit: 20 }),
    ]),
    selection: within([
      api.selection(app, action, {
        selectedFrom: range.toMs - (range.toMs - range.fromMs) / 10,
        selectedTo: range.toMs,
        minMs: "0",
        maxMs: null,
      }),
    ]),
    ...Object.fromEntries(
      Object.entries(CATEGORIES).map(([page, category]) => [page, within(calls(category))]),
    ),
    errors: within([api.errors(app), api.errorSeries(app), api.events(app)]),
    traces: within([api.traces(app, { sort: "slowest", error: false, limit: 200 })]),
    map: within([api.map()]),
    hosts: within([api.hosts()]),
    host: within([
      api.hostSeries(host, HOST_PAGE_METRICS),
      api.hosts(),
      api.snapshot(host),
      api.processes(host),
    ]),
    ledger: within([api.appLedger(app), api.hostLedger(host)]),
    settings: [api.settings(), api.keys(), ...within([api.fleet(), api.completeness()])],
  };
}
