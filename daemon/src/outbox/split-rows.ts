import type { BatchHeader } from "@apm-daemon/protocol";

/** The rows of a batch's header: each stands for itself, so they may go in any number of batches. */
export type BatchRows = Pick<
  BatchHeader,
  "apps" | "processSeconds" | "actions" | "operations" | "statements" | "errors" | "ledger"
> &
  Required<Pick<BatchHeader, "counters" | "events" | "slowStatements">>;

/** Spreads rows, in their order, over as few parts of `maxBytes` of JSON as that takes; at least one part, maybe empty. */
export function splitRows(all: BatchRows, maxBytes: number): BatchRows[] {
  let part = noRows();
  let partBytes = 0;
  const parts = [part];
  for (const kind of Object.keys(part) as (keyof BatchRows)[]) {
    for (const row of all[kind]) {
      const bytes = Buffer.byteLength(JSON.stringify(row)) + 1;
      if (partBytes > 0 && partBytes + bytes > maxBytes) {
        part = noRows();
        parts.push(part);
        partBytes = 0;
      }
      (part[kind] as unknown[]).push(row);
      partBytes += bytes;
    }
  }
  return parts;
}

function noRows(): BatchRows {
  return {
    apps: [],
    processSeconds: [],
    actions: [],
    operations: [],
    statements: [],
    errors: [],
    counters: [],
    slowStatements: [],
    ledger: [],
    events: [],
  };
}
