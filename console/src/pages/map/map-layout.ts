/**
 * Places the nodes of a map in columns: who is called stands right of its callers. A column is as far right as the longest
 * way to it; a call that closes a circle does not count. Within a column nodes stand near those they are joined with, by
 * their average place, a few times to and fro, so that few lines cross. A line that passes columns has a lane in each of them, as a node would,
 * which it shares with other lines to the same node: so it runs between nodes and not behind them.
 */
export interface Place {
  column: number;
  row: number;
}

interface Joined {
  from: string;
  to: string;
}

export interface MapLayout {
  places: ReadonlyMap<string, Place>;
  /** Lanes of a line in the columns that it passes, from left to right. */
  lanesOf: (edge: Joined) => Place[];
}

const SWEEPS = 4;

export function mapLayout(ids: readonly string[], calls: readonly Joined[]): MapLayout {
  const columns = columnsOf(ids, calls);
  const edges = calls.flatMap((call) => hops(call, columns));
  const byColumn: string[][] = [];
  const put = (id: string, column: number): void => {
    byColumn[column] ??= [];
    if (!byColumn[column].includes(id)) byColumn[column].push(id);
  };
  for (const id of ids) put(id, columns.get(id) ?? 0);
  for (const call of calls)
    for (const column of passed(call, columns)) {
      put(laneId(call, column), column);
      columns.set(laneId(call, column), column);
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
  const place = (id: string): Place => ({ column: columns.get(id) ?? 0, row: rows.get(id) ?? 0 });
  return {
    places: new Map(ids.map((id) => [id, place(id)])),
    lanesOf: (edge) => passed(edge, columns).map((column) => place(laneId(edge, column))),
  };
}

/** Columns between both ends. */
function passed({ from, to }: Joined, columns: ReadonlyMap<string, number>): number[] {
  const [first, last] = [(columns.get(from) ?? 0) + 1, columns.get(to) ?? 0];
  return Array.from({ length: Math.max(0, last - first) }, (_, i) => first + i);
}

/** No node is named so: ids have no line break. */
function laneId({ to }: Joined, column: number): string {
  return `${column}\n${to}`;
}

/** A call from column to column. */
function hops(call: Joined, columns: ReadonlyMap<string, number>): Joined[] {
  const stops = [call.from, ...passed(call, columns).map((column) => laneId(call, column)), call.to];
  return stops.slice(1).map((to, i) => ({ from: stops[i] ?? "", to }));
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
