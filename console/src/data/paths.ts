/** Paths of the collector's API; names and values are percent-encoded here and nowhere else. */
const BASE = "/api/v1";

type Query = Record<string, string | number | boolean | null | undefined>;

function path(parts: readonly string[], query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") search.set(name, String(value));
  }
  const tail = search.size === 0 ? "" : `?${search.toString()}`;
  return `${BASE}/${parts.map(encodeURIComponent).join("/")}${tail}`;
}

/** Which calls; "" is a name too, so it must not be left out. */
export interface CallKeys {
  category: "database" | "cache" | "external";
  system?: string;
  target?: string;
  operation?: string;
  statement?: string;
}

function withKeys(start: string, keys: CallKeys): string {
  return `${start}${start.includes("?") ? "&" : "?"}${new URLSearchParams({ ...keys }).toString()}`;
}

export const apiPaths = {
  login: (): string => path(["login"]),
  logout: (): string => path(["logout"]),
  session: (): string => path(["session"]),
  settings: (): string => path(["settings"]),
  settingsOfAll: (): string => path(["settings", "all"]),
  settingsOfApp: (app: string): string => path(["settings", "apps", app]),
  keys: (): string => path(["keys"]),
  key: (id: string): string => path(["keys", id]),
  fleet: (): string => path(["fleet"]),
  completeness: (): string => path(["completeness"]),
  server: (): string => path(["server"]),
  apps: (): string => path(["apps"]),
  summary: (app: string): string => path(["apps", app, "summary"]),
  appSeries: (app: string, action?: string): string => path(["apps", app, "series"], { action }),
  actions: (app: string, kind: string, sort: string): string =>
    path(["apps", app, "actions"], { kind, sort }),
  statusCodes: (app: string, action?: string): string => path(["apps", app, "status-codes"], { action }),
  operations: (app: string, category: string, action?: string): string =>
    path(["apps", app, "operations"], { category, action }),
  appLedger: (app: string): string => path(["apps", app, "ledger"]),
  hostLedger: (host: string): string => path(["hosts", host, "ledger"]),
  slowStatements: (app: string, action?: string, limit = 5): string =>
    path(["apps", app, "slow-statements"], { action, limit }),
  statementCalls: (app: string, statement: string): string =>
    path(["apps", app, "slow-statements"], { statement, limit: 20 }),
  callSeries: (app: string, keys: CallKeys, by: "store" | "operation", limit: number): string =>
    withKeys(path(["apps", app, "operations", "series"], { by, limit }), keys),
  callSamples: (app: string, keys: CallKeys): string =>
    withKeys(path(["apps", app, "operations", "samples"], { limit: 20 }), keys),
  statementText: (statement: string): string => path(["statements", statement, "text"]),
  errorSeries: (app: string): string => path(["apps", app, "errors", "series"]),
  errorGroup: (app: string, group: string): string => path(["apps", app, "errors", "groups", group]),
  map: (): string => path(["map"]),
  counters: (app: string): string => path(["apps", app, "counters"]),
  events: (app: string): string => path(["apps", app, "events"]),
  errors: (app: string): string => path(["apps", app, "errors"]),
  traces: (
    app: string,
    query: { action?: string | null; sort: string; error: boolean; repeats?: boolean; limit: number },
  ): string =>
    path(["apps", app, "traces"], {
      ...query,
      error: query.error ? true : null,
      repeats: query.repeats ? true : null,
    }),
  trace: (traceId: string): string => path(["traces", traceId]),
  fetchTrace: (traceId: string): string => path(["traces", traceId, "fetch"]),
  hosts: (): string => path(["hosts"]),
  hostSeries: (host: string, metrics: readonly string[]): string =>
    path(["hosts", host, "series"], { metrics: metrics.join(",") }),
  live: (): string => path(["live"]),
  hostLive: (host: string, after: number): string => path(["hosts", host, "live"], { after }),
  snapshot: (host: string): string => path(["hosts", host, "snapshot"]),
  hostLane: (host: string, instance: string): string => path(["hosts", host, "lane"], { instance }),
  rank: (app: string, action: string, durationMs: number): string =>
    path(["apps", app, "rank"], { action, durationMs }),
  heatmap: (app: string, action: string): string => path(["apps", app, "heatmap"], { action }),
  selection: (
    app: string,
    action: string,
    query: { selectedFrom: number; selectedTo: number; minMs: string; maxMs: string | null },
  ): string => path(["apps", app, "selection"], { action, ...query }),
  appVerdicts: (app: string): string => path(["apps", app, "verdicts"]),
  verdicts: (): string => path(["verdicts"]),
  ends: (): string => path(["ends"]),
  processes: (host: string): string => path(["hosts", host, "processes"]),
};

/** The path with its time range in Unix milliseconds. */
export function inRange(path: string, range: { fromMs: number; toMs: number }): string {
  return `${path}${path.includes("?") ? "&" : "?"}from=${range.fromMs}&to=${range.toMs}`;
}
