import type { MapEdge, MapNode } from "../../data/answers.ts";

export interface DrawnNode extends MapNode {
  /** How many are drawn as this one. */
  members: number;
}

export interface DrawnMap {
  nodes: DrawnNode[];
  edges: Omit<MapEdge, "targets">[];
}

/** More than this cannot be read. */
const MAX_NODES = 50;

const KINDS = ["app", "database", "cache", "external"] as const;

/** The nodes that take most of the time, and one of each kind for all others. */
export function groupedMap(
  nodes: readonly MapNode[],
  edges: readonly MapEdge[],
  maxNodes = MAX_NODES,
): DrawnMap {
  if (nodes.length <= maxNodes)
    return { nodes: nodes.map((node) => ({ ...node, members: 1 })), edges: [...edges] };
  const times = new Map(nodes.map(({ id }) => [id, 0]));
  for (const { from, to, totalTimeMs } of edges)
    for (const id of [from, to]) times.set(id, (times.get(id) ?? 0) + totalTimeMs);
  const byTime = [...nodes].sort((a, b) => (times.get(b.id) ?? 0) - (times.get(a.id) ?? 0));
  const kept = byTime.slice(0, maxNodes - KINDS.length);
  const others = KINDS.map((kind) => byTime.slice(kept.length).filter((node) => node.kind === kind));
  const idOf = new Map(kept.map(({ id }) => [id, id]));
  for (const [i, group] of others.entries()) for (const { id } of group) idOf.set(id, `others ${KINDS[i]}`);
  const drawn = mergedEdges(edges, idOf);
  return {
    nodes: [
      ...kept.map((node) => ({ ...node, members: 1 })),
      ...others.filter((group) => group.length > 0).map((group) => groupNode(group, drawn)),
    ],
    edges: drawn,
  };
}

/** Edges between the same two nodes become one; what a group calls within itself is left out. */
function mergedEdges(edges: readonly MapEdge[], idOf: ReadonlyMap<string, string>): DrawnMap["edges"] {
  const merged = new Map<string, DrawnMap["edges"][number]>();
  for (const edge of edges) {
    const [from, to] = [idOf.get(edge.from) ?? edge.from, idOf.get(edge.to) ?? edge.to];
    if (from === to && from !== edge.from) continue;
    const key = JSON.stringify([from, to]);
    const before = merged.get(key);
    const sums = {
      calls: edge.calls + (before?.calls ?? 0),
      errors: edge.errors + (before?.errors ?? 0),
      totalTimeMs: edge.totalTimeMs + (before?.totalTimeMs ?? 0),
      callsPerMinute: edge.callsPerMinute + (before?.callsPerMinute ?? 0),
    };
    merged.set(key, { from, to, ...sums, ...ratesOf(sums) });
  }
  return [...merged.values()];
}

function groupNode(group: readonly MapNode[], edges: DrawnMap["edges"]): DrawnNode {
  const kind = group[0]?.kind ?? "external";
  const id = `others ${kind}`;
  const sums = { calls: 0, errors: 0, totalTimeMs: 0, callsPerMinute: 0 };
  for (const edge of edges) {
    if (edge.to !== id) continue;
    sums.calls += edge.calls;
    sums.errors += edge.errors;
    sums.totalTimeMs += edge.totalTimeMs;
    sums.callsPerMinute += edge.callsPerMinute;
  }
  const names = { app: "", system: "", target: "", apdex: null };
  return { id, kind, ...names, callsPerMinute: sums.callsPerMinute, ...ratesOf(sums), members: group.length };
}

function ratesOf({ calls, errors, totalTimeMs }: { calls: number; errors: number; totalTimeMs: number }): {
  avgMs: number | null;
  errorRate: number | null;
} {
  return {
    avgMs: calls === 0 ? null : totalTimeMs / calls,
    errorRate: calls === 0 ? null : errors / calls,
  };
}
