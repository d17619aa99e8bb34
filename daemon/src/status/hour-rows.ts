import {
  type ActionRow,
  type BatchHeader,
  mergeHistograms,
  type OperationRow,
  type RecentLeftOut,
  type RecentSlowStatement,
  type RecentTrace,
  type SlowStatementRow,
  type TraceSummary,
} from "@apm-daemon/protocol";

/** An action's requests of one minute, whatever their status. */
export type ActionSums = Omit<ActionRow, "tsSec" | "status" | "codeUs" | "queueUs">;

/** Calls of one kind of one minute, whoever made them. */
export type CallSums = Omit<OperationRow, "tsSec" | "action">;

/** What is kept of one minute, or of a part of it. Rows add up. */
export interface HourRows {
  actions: ActionSums[];
  calls: CallSums[];
  slowStatements: Omit<RecentSlowStatement, "text">[];
  traces: RecentTrace[];
  leftOut: Omit<RecentLeftOut, "minutes">;
}

/** Actions and calls: the most time-consuming by name, the others as "(other)" of their app. Statements and traces: the slowest. */
export interface RowLimits {
  actions: number;
  calls: number;
  slowStatements: number;
  traces: number;
}

export const MINUTE_LIMITS: RowLimits = { actions: 200, calls: 200, slowStatements: 50, traces: 50 };

const OTHER = "(other)";
const MAX_CALLER_CHARS = 200;

/** A batch's rows by the minute that they belong to, Unix minutes. Requests of an app that take longer than `slowMs` are slow. */
export function rowsByMinute(header: BatchHeader, slowMs: (app: string) => number): Map<number, HourRows> {
  const minutes = new Map<number, HourRows>();
  const of = (unixMs: number): HourRows => {
    const minute = Math.floor(unixMs / 60_000);
    const rows = minutes.get(minute) ?? noRows();
    minutes.set(minute, rows);
    return rows;
  };
  const { actions, operations, slowStatements = [], traces } = header;
  for (const { tsSec, status: _, codeUs: _code, queueUs: _queue, ...row } of actions)
    of(tsSec * 1_000).actions.push(row);
  for (const { tsSec, action: _, ...row } of operations) of(tsSec * 1_000).calls.push(row);
  for (const row of slowStatements) of(row.endUnixMs).slowStatements.push(slowStatement(row));
  for (const summary of traces) {
    if (isSlowOrFailed(summary, slowMs(summary.app)))
      of(summary.startUnixMs + summary.durationUs / 1_000).traces.push(trace(summary));
  }
  return minutes;
}

/** Rows of several parts: each key once, within limits, the most time-consuming first. */
export function mergedRows(parts: readonly HourRows[], limits: RowLimits): HourRows {
  const slowStatements = slowest(
    parts.flatMap((part) => part.slowStatements),
    limits.slowStatements,
  );
  const traces = slowest(
    parts.flatMap((part) => part.traces),
    limits.traces,
  );
  const actions = bounded(
    parts.flatMap((part) => part.actions),
    limits.actions,
    (row) => (row.action === OTHER ? row : { ...row, action: OTHER }),
    mergedActions,
  );
  const calls = bounded(
    parts.flatMap((part) => part.calls),
    limits.calls,
    (row) =>
      row.operation === OTHER ? row : { ...row, system: "", target: "", operation: OTHER, statement: "" },
    mergedCalls,
  );
  const before = (of: (leftOut: HourRows["leftOut"]) => number): number =>
    parts.reduce((sum, { leftOut }) => sum + of(leftOut), 0);
  return {
    actions: actions.rows,
    calls: calls.rows,
    slowStatements: slowStatements.rows,
    traces: traces.rows,
    leftOut: {
      actions: actions.leftOut + before((leftOut) => leftOut.actions),
      calls: calls.leftOut + before((leftOut) => leftOut.calls),
      slowStatements: slowStatements.leftOut + before((leftOut) => leftOut.slowStatements),
      traces: traces.leftOut + before((leftOut) => leftOut.traces),
    },
  };
}

function mergedActions(rows: readonly ActionSums[]): ActionSums[] {
  return merged(
    rows,
    ({ app, action, kind }) => `${app}\n${kind}\n${action}`,
    (group, row) => ({
      ...row,
      requests: sum(group, (one) => one.requests),
      errors: sum(group, (one) => one.errors),
      satisfied: sum(group, (one) => one.satisfied),
      tolerating: sum(group, (one) => one.tolerating),
      frustrated: sum(group, (one) => one.frustrated),
      databaseUs: sum(group, (one) => one.databaseUs),
      cacheUs: sum(group, (one) => one.cacheUs),
      externalUs: sum(group, (one) => one.externalUs),
    }),
  );
}

function mergedCalls(rows: readonly CallSums[]): CallSums[] {
  return merged(
    rows,
    ({ app, category, system, target, operation, statement }) =>
      [app, category, system, target, operation, statement].join("\n"),
    (group, row) => ({
      ...row,
      calls: sum(group, (one) => one.calls),
      errors: sum(group, (one) => one.errors),
    }),
  );
}

export function noRows(): HourRows {
  const leftOut = { actions: 0, calls: 0, slowStatements: 0, traces: 0 };
  return { actions: [], calls: [], slowStatements: [], traces: [], leftOut };
}

type Durations = Pick<ActionRow, "sumUs" | "maxUs" | "histogram">;

/** Rows of one key become one; the most time-consuming come first. */
function merged<Row extends Durations>(
  rows: readonly Row[],
  keyOf: (row: Row) => string,
  addUp: (group: readonly Row[], first: Row) => Row,
): Row[] {
  const groups = new Map<string, [Row, ...Row[]]>();
  for (const row of rows) {
    const key = keyOf(row);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  const sums = [...groups.values()].map((group) =>
    group.length === 1
      ? group[0]
      : {
          ...addUp(group, group[0]),
          sumUs: sum(group, (one) => one.sumUs),
          maxUs: group.reduce((max, one) => Math.max(max, one.maxUs), 0),
          histogram: mergeHistograms(group.map((one) => one.histogram)),
        },
  );
  return sums.sort((a, b) => b.sumUs - a.sumUs);
}

/** The first `max` rows; those after them are counted under another name, so that sums stay what they are. */
function bounded<Row>(
  rows: readonly Row[],
  max: number,
  other: (row: Row) => Row,
  merge: (rows: readonly Row[]) => Row[],
): { rows: Row[]; leftOut: number } {
  const ordered = merge(rows);
  if (ordered.length <= max) return { rows: ordered, leftOut: 0 };
  const [first, rest] = [ordered.slice(0, max), ordered.slice(max)];
  return {
    rows: merge([...first, ...rest.map(other)]),
    leftOut: rest.filter((row) => other(row) !== row).length,
  };
}

function slowest<Row extends { durationMs: number }>(
  rows: readonly Row[],
  max: number,
): { rows: Row[]; leftOut: number } {
  const ordered = [...rows].sort((a, b) => b.durationMs - a.durationMs);
  return { rows: ordered.slice(0, max), leftOut: Math.max(0, ordered.length - max) };
}

/** The slowest of each window are kept however fast they are. */
function isSlowOrFailed({ error, verdict, durationUs }: TraceSummary, slowMs: number): boolean {
  return error || verdict !== undefined || durationUs > slowMs * 1_000;
}

function trace({
  traceId,
  app,
  action,
  kind,
  startUnixMs,
  durationUs,
  status,
  error,
  reason,
  verdict,
}: TraceSummary): RecentTrace {
  return {
    traceId,
    app,
    action,
    kind,
    startUnixMs,
    durationMs: durationUs / 1_000,
    status,
    error,
    reason,
    ...(verdict && { verdict }),
  };
}

function slowStatement(row: SlowStatementRow): HourRows["slowStatements"][number] {
  const { endUnixMs, app, action, system, target, operation, statement, durationUs, error, traceId, stack } =
    row;
  const [caller = ""] = stack.split("\n", 1);
  const call = { endUnixMs, app, action, system, target, operation, statement, error, traceId };
  return { ...call, durationMs: durationUs / 1_000, caller: caller.trim().slice(0, MAX_CALLER_CHARS) };
}

function sum<Row>(rows: readonly Row[], of: (row: Row) => number): number {
  return rows.reduce((total, row) => total + of(row), 0);
}
