import type { OperationCategory, SpanAnswer } from "@apm-daemon/protocol";

/** What a span called, named as its daemon counts it (span-plan.ts there). */
export interface CallOfSpan {
  category: OperationCategory;
  system: string;
  target: string;
  operation: string;
  /** Fingerprint, "" where there is none. */
  statement: string;
}

/** Null for spans that are no calls. */
export function callOfSpan({ category, attributes, name }: SpanAnswer): CallOfSpan | null {
  if (category !== "database" && category !== "cache" && category !== "external") return null;
  const text = (...names: string[]): string => {
    const found = names
      .map((one) => attributes[one])
      .find((value) => typeof value === "string" && value !== "");
    return typeof found === "string" ? found : "";
  };
  const method = text("http.request.method", "http.method");
  const named = text("db.system.name", "db.system", "messaging.system", "rpc.system");
  const address = text("server.address", "net.peer.name", "network.peer.address");
  const port = Number(
    attributes["server.port"] ?? attributes["net.peer.port"] ?? attributes["network.peer.port"],
  );
  return {
    category,
    system: named || (method === "" ? "" : "http"),
    target: address !== "" && port > 0 ? `${address}:${port}` : address,
    operation:
      text("db.query.summary") || (category === "external" ? method || name : databaseOperation(text, name)),
    statement: category === "database" ? text("apm.statement.fingerprint") : "",
  };
}

function databaseOperation(text: (...names: string[]) => string, name: string): string {
  const operation = text("db.operation.name", "db.operation");
  const collection = text("db.collection.name", "db.sql.table", "db.mongodb.collection");
  if (operation === "") return name;
  return collection === "" ? operation : `${operation} ${collection}`;
}
