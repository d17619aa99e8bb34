import type { KnownProcess, ProcessTable } from "./process-table.ts";

/** What the processes below one use, that process itself left out. */
export interface ProcessTree {
  processes: number;
  cpuRatio: number;
  rssBytes: number;
}

/**
 * The descendants of each root. Those below two roots, one of which started the other, belong to the nearer one, and a root to no
 * other: so each process counts once. Roots without descendants are left out.
 */
export function processTrees(table: ProcessTable, roots: ReadonlySet<number>): Map<number, ProcessTree> {
  const trees = new Map<number, ProcessTree>();
  /** The nearest root at or above a pid; 0 for none. Each process is asked once. */
  const rootOf = new Map<number, number>([[0, 0]]);
  for (const process of table.all()) {
    const root = nearestRoot(process.ppid, table, roots, rootOf);
    if (root === 0 || roots.has(process.pid)) continue;
    const tree = trees.get(root) ?? { processes: 0, cpuRatio: 0, rssBytes: 0 };
    tree.processes++;
    tree.cpuRatio += process.cpuRatio;
    tree.rssBytes += process.rssBytes;
    trees.set(root, tree);
  }
  return trees;
}

function nearestRoot(
  pid: number,
  table: { get(pid: number): Pick<KnownProcess, "ppid"> | undefined },
  roots: ReadonlySet<number>,
  rootOf: Map<number, number>,
): number {
  const path: number[] = [];
  let at = pid;
  while (!rootOf.has(at)) {
    if (roots.has(at)) {
      rootOf.set(at, at);
      break;
    }
    // Parents change while they are read: a loop ends here.
    rootOf.set(at, 0);
    path.push(at);
    at = table.get(at)?.ppid ?? 0;
  }
  const root = rootOf.get(at) ?? 0;
  for (const passed of path) rootOf.set(passed, root);
  return root;
}
