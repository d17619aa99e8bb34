/**
 * Places the nodes of a map in columns: who is called stands right of its callers. A column is as far right as the longest
 * way to it; a call that closes a circle does not count. Within a column nodes stand near those they are joined with, by
 * their average place, a few times to and fro, so that few lines cross.
 */
export interface Place {
  column: number;
  row: number;
}

interface Joined {
  from: string;
  to: string;
}

const SWEEPS = 4;

export function mapLayout(ids: readonly string[], edges: readonly Joined[]): Map<string, Place> {
  const columns = columnsOf(ids, edges);
  const byColumn: string[][] = [];
  for (const id of ids) {
    const column = columns.get(id) ?? 0;
    byColumn[column] ??= [];
    byColumn[column].push(id);
  }
  const rows = new Map<string, number>();
  const number = (list: readonly string[]): void => {
    // Short columns are centred on the longest one.
    const longest = Math.max(...byColumn.map((one) => one.length));
    for (const [i, id] of list.entries()) rows.set(id, i + (longest - list.length) / 2);
  };
  for (const list of byColumn) number(list);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const isForth = sweep % 2 === 0;
    for (const list of isForth ? byColumn : byColumn.toReversed()) {
      const middle = (id: string): number => {
        const near = edges
          .filter((edge) => (isForth ? edge.to : edge.from) === id)
          .map((edge) => rows.get(isForth ? edge.from : edge.to) ?? 0);
        return near.length === 0
          ? (rows.get(id) ?? 0)
          : near.reduce((sum, row) => sum + row, 0) / near.length;
      };
      const middles = new Map(list.map((id) => [id, middle(id)]));
      list.sort((a, b) => (middles.get(a) ?? 0) - (middles.get(b) ?? 0));
      number(list);
    }
  }
  return new Map(ids.map((id) => [id, { column: columns.get(id) ?? 0, row: rows.get(id) ?? 0 }]));
}

function columnsOf(ids: readonly string[], edges: readonly Joined[]): Map<string, number> {
  const called = new Set(edges.filter(({ from, to }) => from !== to).map(({ to }) => to));
  const callees = new Map<string, string[]>();
  for (const { from, to } of edges) callees.set(from, [...(callees.get(from) ?? []), to]);
  const order = orderOf([...ids.filter((id) => !called.has(id)), ...ids], callees);
  const place = new Map(order.map((id, i) => [id, i]));
  const columns = new Map(ids.map((id) => [id, 0]));
  for (const id of order)
    for (const callee of callees.get(id) ?? []) {
      // Against the order: such a call closes a circle.
      if ((place.get(callee) ?? 0) <= (place.get(id) ?? 0)) continue;
      columns.set(callee, Math.max(columns.get(callee) ?? 0, (columns.get(id) ?? 0) + 1));
    }
  return columns;
}

/** Callers before those they call, as far as there is no circle. */
function orderOf(starts: readonly string[], callees: ReadonlyMap<string, readonly string[]>): string[] {
  const done: string[] = [];
  const seen = new Set<string>();
  const visit = (id: string): void => {
    if (seen.has(id)) return;
    seen.add(id);
    for (const callee of callees.get(id) ?? []) visit(callee);
    done.push(id);
  };
  for (const id of starts) visit(id);
  return done.toReversed();
}
