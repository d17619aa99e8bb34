import type { BatchRange } from "../batch-index.ts";
import type { ReceivedBatch } from "../batch-rows.ts";
import type { MaintenanceJob, StoredTracePart } from "../store.ts";
import type { PackedRows } from "./packed-rows.ts";

/** Values bound to an SQL text by name. */
export type SqlValues = Record<string, string | number | boolean>;

/** What the thread that owns DuckDB can be asked for. */
export type Call =
  | { method: "open"; nowMs: number }
  | { method: "write"; batches: readonly ReceivedBatch[]; nowMs: number }
  | { method: "addTraceParts"; parts: readonly StoredTracePart[]; nowMs: number }
  /** Of queries that wait, those with the lowest `turn` run first. */
  | { method: "query"; sql: string; values: SqlValues; turn: number }
  | { method: "checkHealth"; nowMs: number }
  | { method: "maintain"; job: MaintenanceJob; nowMs: number }
  | { method: "size" }
  | { method: "close" };

export interface Request {
  id: number;
  call: Call;
}

/** Nobody waits for the reply to this call any more; it is sent all the same. */
export interface Cancel {
  cancelledId: number;
}

export type Reply =
  | { type: "reply"; id: number; value: unknown }
  /** To a query. */
  | { type: "rows"; id: number; value: PackedRows }
  | {
      type: "failure";
      id: number;
      message: string;
      code: string | undefined;
      retryAfterMs: number | undefined;
    };

export type WorkerMessage =
  | Reply
  | { type: "warning"; sentence: string }
  /** The database was closed and opened again; these batches are in it. */
  | { type: "reopened"; committed: BatchRange[] };
