import type { CallGroup, OperationRow, Percentiles } from "../../data/answers.ts";

/** A statement, command or service in a table. */
export interface CallRow {
  /** What stands in the URL when it is selected. */
  parts: string[];
  name: string;
  /** Under the name. */
  detail: string;
  share: number | null;
  calls: number;
  errors: number;
  totalTimeMs: number;
  callsPerMinute: number | null;
  durationMs: Percentiles | null;
  actions: { action: string }[];
}

/** Rows of single operations, with the text of their statement where it is known. */
export function operationRow(row: OperationRow): CallRow {
  const { system, target, operation, statement, statementText } = row;
  return {
    ...row,
    parts: [system, target, operation, statement],
    name: statementText || operation,
    detail: [system, target].filter((part) => part !== "").join(" "),
  };
}

/** Rows of stores or services, whatever was called there. */
export function storeRow(group: CallGroup): CallRow {
  const { system, target } = group;
  return { ...group, parts: [system, target], name: target || system, detail: system };
}

export const CALL_SORTS = ["time", "avg", "p95", "calls", "errors"] as const;
export type CallSort = (typeof CALL_SORTS)[number];

const SORT_VALUES: Readonly<Record<CallSort, (row: CallRow) => number>> = {
  time: (row) => row.totalTimeMs,
  avg: (row) => row.durationMs?.avg ?? -1,
  p95: (row) => row.durationMs?.p95 ?? -1,
  calls: (row) => row.calls,
  errors: (row) => row.errors,
};

/** Most first; equal ones by their time. */
export function sortedCalls(rows: readonly CallRow[], sort: CallSort): CallRow[] {
  const value = SORT_VALUES[sort];
  return [...rows].sort((a, b) => value(b) - value(a) || b.totalTimeMs - a.totalTimeMs);
}

export function rowKey({ parts }: CallRow): string {
  return JSON.stringify(parts);
}
