import {
  type AttributeValue,
  type DecodedShape,
  databaseCategory,
  MAX_NAME_CHARS,
  MAX_STATEMENT_CHARS,
  type OperationCategory,
} from "@apm-daemon/protocol";
import { shortened } from "./shortened.ts";

/** What spans of one shape mean to the counters. */
export type SpanRole = "server" | "background" | OperationCategory | "internal";

/** Whether spans of that role are calls to something outside of the app. */
export function isCall(role: SpanRole): role is OperationCategory {
  return role === "database" || role === "cache" || role === "external";
}

/** Agents send no longer ones. */
const MAX_STACK_CHARS = 4_096;
/** Longer waits in front of the app are a wrong clock's or a wrong unit's. */
const MAX_QUEUE_MS = 3_600_000;

/**
 * Worked out once per shape and frame: the role of its spans and where the values lie that the counters need. Attribute names
 * are OpenTelemetry's; the older ones (`db.system`, `db.statement`, `net.peer.name`, `http.status_code`) are read too.
 */
export class SpanPlan {
  /** The role of all spans of the shape, or null when the database system decides span by span. */
  readonly #fixedRole: SpanRole | null;
  readonly #values: readonly AttributeValue[];
  readonly #status: number;
  readonly #system: number;
  readonly #statement: number;
  readonly #operation: number;
  readonly #collection: number;
  readonly #summary: number;
  readonly #method: number;
  readonly #address: number;
  readonly #port: number;
  readonly #queue: number;
  readonly #ignored: number;
  readonly #stack: number;

  constructor(shape: DecodedShape) {
    const slot = (...names: string[]): number => {
      for (const name of names) {
        const index = shape.keys.indexOf(name);
        if (index >= 0) return index;
      }
      return -1;
    };
    this.#values = shape.values;
    this.#status = slot("http.response.status_code", "http.status_code", "rpc.grpc.status_code");
    this.#system = slot("db.system.name", "db.system", "messaging.system", "rpc.system");
    this.#statement = slot("db.query.text", "db.statement");
    this.#operation = slot("db.operation.name", "db.operation");
    this.#collection = slot("db.collection.name", "db.sql.table", "db.mongodb.collection");
    this.#summary = slot("db.query.summary");
    this.#method = slot("http.request.method", "http.method");
    this.#address = slot("server.address", "net.peer.name", "network.peer.address");
    this.#port = slot("server.port", "net.peer.port", "network.peer.port");
    this.#queue = slot("apm.queue_time_ms");
    this.#ignored = slot("apm.ignored");
    this.#stack = slot("code.stacktrace");
    const isDatabase = this.#system >= 0 && shape.keys[this.#system]?.startsWith("db.") === true;
    this.#fixedRole = isDatabase && shape.kind !== 1 ? null : roleOfKind(shape.kind);
  }

  get role(): SpanRole {
    if (this.#fixedRole !== null) return this.#fixedRole;
    return databaseCategory(this.#text(this.#system));
  }

  /** HTTP status, 0 where there is none. */
  get status(): number {
    const status = this.#number(this.#status);
    return Number.isInteger(status) && status >= 100 && status <= 999 ? status : 0;
  }

  get queueUs(): number {
    const queueMs = this.#number(this.#queue);
    return queueMs > 0 && queueMs <= MAX_QUEUE_MS ? queueMs * 1_000 : 0;
  }

  /** Whether the app wants the request left out of everything. */
  get isIgnored(): boolean {
    return this.#ignored >= 0 && this.#values[this.#ignored] === true;
  }

  get system(): string {
    return this.#text(this.#system) || (this.#method >= 0 ? "http" : "");
  }

  get statement(): string {
    return this.role === "database" ? this.#text(this.#statement, MAX_STATEMENT_CHARS) : "";
  }

  /** Where a call was made, "" where the agent did not say. */
  get stack(): string {
    return this.#text(this.#stack, MAX_STACK_CHARS);
  }

  get target(): string {
    const address = this.#text(this.#address);
    const port = this.#number(this.#port);
    return address !== "" && port > 0 ? `${address}:${port}` : address;
  }

  /** Short name of the operation: "SELECT users", "GET". */
  operation(spanName: string): string {
    const summary = this.#text(this.#summary);
    if (summary !== "") return summary;
    if (this.role === "external") return this.#text(this.#method) || shortened(spanName);
    const operation = this.#text(this.#operation);
    const collection = this.#text(this.#collection);
    if (operation === "") return shortened(spanName);
    return collection === "" ? operation : `${operation} ${collection}`;
  }

  #text(slot: number, maxChars: number = MAX_NAME_CHARS): string {
    const value = slot < 0 ? "" : this.#values[slot];
    return typeof value === "string" ? shortened(value, maxChars) : "";
  }

  #number(slot: number): number {
    const value = slot < 0 ? 0 : this.#values[slot];
    return typeof value === "number" && Number.isFinite(value) ? value : 0;
  }
}

function roleOfKind(kind: number): SpanRole {
  if (kind === 1) return "server";
  if (kind === 2 || kind === 3) return "external";
  return kind === 4 ? "background" : "internal";
}
