import type { OperationCategory } from "@apm-daemon/protocol";
import type { DependencyTotals, Store } from "../store/store.ts";
import { CalledApps } from "./called-apps.ts";
import { requestStatistics, share } from "./request-statistics.ts";
import { answeredRange, minutesUpToNow, type QueryRange } from "./time-range.ts";

/** Far more than a picture can show; the rest is counted. */
const MAX_DEPENDENCIES = 1_000;
/** Parts of traces that are looked through for who answers whom: a bound for time and memory. */
const MAX_PARTS = 200;

export interface MapNode {
  id: string;
  kind: "app" | OperationCategory;
  /** Name of the app, "" for others. */
  app: string;
  system: string;
  target: string;
  /** Web requests of an app, calls to anything else. */
  callsPerMinute: number;
  avgMs: number | null;
  errorRate: number | null;
  /** Null for what is no app. */
  apdex: number | null;
}

export interface MapEdge {
  from: string;
  to: string;
  calls: number;
  errors: number;
  totalTimeMs: number;
  callsPerMinute: number;
  avgMs: number | null;
  errorRate: number | null;
  /** Addresses that were called, as the caller names them. */
  targets: string[];
}

export interface ServiceMapAnswer {
  from: number;
  to: number;
  nodes: MapNode[];
  /** Most total time first. */
  edges: MapEdge[];
  /** Whether there are more dependencies than these. */
  isLimited: boolean;
}

/**
 * Who calls whom, over all apps. Calls are the clients' own counts. A target is another app where kept traces show it, see
 * called-apps.ts; else it is an external service.
 */
export async function serviceMap(store: Store, range: QueryRange): Promise<ServiceMapAnswer> {
  const [dependencies, parts, seen, totals] = await Promise.all([
    store.operations.dependencies(range, MAX_DEPENDENCIES),
    store.traces.sharedParts(range, MAX_PARTS),
    store.apps.seen(range),
    store.requests.totals({ range, kind: "web" }, { by: ["app"], withHistograms: false }),
  ]);
  const minutes = minutesUpToNow(range);
  const called = new CalledApps(parts);
  const nodes = new Map<string, MapNode>();
  for (const app of new Set([...seen, ...dependencies].map((row) => row.app))) {
    const sums = totals.find((row) => row.app === app);
    const { throughputRpm, errorRate, apdex } = requestStatistics(sums, null, minutes);
    const avgMs = sums && sums.requests > 0 ? sums.sumUs / sums.requests / 1000 : null;
    nodes.set(appId(app), {
      ...NO_NODE,
      id: appId(app),
      app,
      callsPerMinute: throughputRpm,
      avgMs,
      errorRate,
      apdex,
    });
  }
  const edges = edgesOf(dependencies, (row) => nodeOf(row, called), minutes);
  for (const { to, row } of edges.values()) if (!nodes.has(to)) nodes.set(to, dependencyNode(to, row));
  addCalls(nodes, [...edges.values()], minutes);
  return {
    ...answeredRange(range),
    nodes: [...nodes.values()],
    edges: [...edges.values()]
      .map(({ row: _row, ...edge }) => edge)
      .sort((a, b) => b.totalTimeMs - a.totalTimeMs || (a.from + a.to < b.from + b.to ? -1 : 1)),
    isLimited: dependencies.length === MAX_DEPENDENCIES,
  };
}

const NO_NODE = { kind: "app", system: "", target: "" } as const;

type EdgeOfRow = MapEdge & { row: DependencyTotals };

function appId(app: string): string {
  return JSON.stringify(["app", app]);
}

function nodeOf({ app, category, system, target }: DependencyTotals, called: CalledApps): string {
  const callee = category === "external" ? called.at({ app, system, target }) : null;
  return callee === null ? JSON.stringify([category, system, target]) : appId(callee);
}

/** One for each pair: an app may reach another at several addresses. */
function edgesOf(
  rows: readonly DependencyTotals[],
  to: (row: DependencyTotals) => string,
  minutes: number,
): Map<string, EdgeOfRow> {
  const edges = new Map<string, EdgeOfRow>();
  for (const row of rows) {
    const ends = { from: appId(row.app), to: to(row) };
    const key = JSON.stringify(ends);
    const before = edges.get(key);
    const calls = row.calls + (before?.calls ?? 0);
    const errors = row.errors + (before?.errors ?? 0);
    const totalTimeMs = row.sumUs / 1000 + (before?.totalTimeMs ?? 0);
    edges.set(key, {
      ...ends,
      calls,
      errors,
      totalTimeMs,
      ...ratesOf({ calls, errors, totalTimeMs }, minutes),
      targets: [...(before?.targets ?? []), row.target],
      row,
    });
  }
  return edges;
}

function ratesOf(
  { calls, errors, totalTimeMs }: { calls: number; errors: number; totalTimeMs: number },
  minutes: number,
): Pick<MapEdge, "callsPerMinute" | "avgMs" | "errorRate"> {
  return {
    callsPerMinute: minutes === 0 ? 0 : calls / minutes,
    avgMs: share(totalTimeMs, calls),
    errorRate: share(errors, calls),
  };
}

function dependencyNode(id: string, { category, system, target }: DependencyTotals): MapNode {
  const unknown = { callsPerMinute: 0, avgMs: null, errorRate: null, apdex: null };
  return { id, kind: category, app: "", system, target, ...unknown };
}

/** What is no app has no counts of its own: those of its callers are added up. */
function addCalls(nodes: ReadonlyMap<string, MapNode>, edges: readonly MapEdge[], minutes: number): void {
  for (const node of nodes.values()) {
    if (node.kind === "app") continue;
    const sums = { calls: 0, errors: 0, totalTimeMs: 0 };
    for (const edge of edges) {
      if (edge.to !== node.id) continue;
      sums.calls += edge.calls;
      sums.errors += edge.errors;
      sums.totalTimeMs += edge.totalTimeMs;
    }
    Object.assign(node, ratesOf(sums, minutes));
  }
}
