import type { Operation } from "./operation.ts";

/** Alike calls below one span that are still none too many; with one more they are a repeat. */
export const MAX_CALLS_ALIKE = 10;

/** What a transaction is made of comes back with each, and could not be asked for at once. */
const TRANSACTION = /^\s*(?:begin|start\s+transaction|commit|rollback|savepoint|release|set)\b/i;

/**
 * What alike calls have in common, on whichever server: the statement, else the command of a cache or of a database without
 * statements (`find users`). "" for calls that no single one could replace: those to other services, and SQL without its text.
 */
export function repeatKeyOf(call: Omit<Operation, "target" | "repeatKey">): string {
  const { category, system, operation, statement, fingerprint } = call;
  if (category === "external") return "";
  if (fingerprint !== "") return TRANSACTION.test(statement) ? "" : fingerprint;
  return category === "cache" || operation.includes(" ") ? `${system} ${operation}` : "";
}
