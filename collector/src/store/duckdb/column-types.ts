import { createHash } from "node:crypto";
import {
  BLOB,
  BOOLEAN,
  blobValue,
  DOUBLE,
  type DuckDBType,
  type DuckDBValue,
  LIST,
  listValue,
  UINTEGER,
  USMALLINT,
  VARCHAR,
} from "@duckdb/node-api";
import type { Cell, ColumnKind, Columns } from "../tables.ts";

const TYPES: Readonly<Record<ColumnKind, { sql: string; type: DuckDBType }>> = {
  bool: { sql: "BOOLEAN", type: BOOLEAN },
  u16: { sql: "USMALLINT", type: USMALLINT },
  u32: { sql: "UINTEGER", type: UINTEGER },
  f64: { sql: "DOUBLE", type: DOUBLE },
  text: { sql: "VARCHAR", type: VARCHAR },
  blob: { sql: "BLOB", type: BLOB },
  "u16[]": { sql: "USMALLINT[]", type: LIST(USMALLINT) },
  "u32[]": { sql: "UINTEGER[]", type: LIST(UINTEGER) },
  "f64[]": { sql: "DOUBLE[]", type: LIST(DOUBLE) },
};

export function columnType(kind: ColumnKind): DuckDBType {
  return TYPES[kind].type;
}

/** DuckDB's value of a cell. */
export function columnValue(cell: Cell): DuckDBValue {
  if (cell instanceof Uint8Array) return blobValue(cell);
  return Array.isArray(cell) ? listValue(cell) : (cell as DuckDBValue);
}

/** A name as an SQL identifier. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** CREATE TABLE without keys or indexes: only insert-only commits without them run beside a checkpoint. */
export function createTableSql(catalog: string, table: string, columns: Columns): string {
  const list = Object.entries(columns).map(([name, kind]) => `${identifier(name)} ${TYPES[kind].sql}`);
  return `CREATE TABLE IF NOT EXISTS ${identifier(catalog)}.main.${identifier(table)} (${list.join(", ")})`;
}

/** Changes whenever the tables do: a day or month that began under other tables goes on in a new file. */
export function schemaId(tables: Readonly<Record<string, Columns>>): string {
  const sql = Object.entries(tables).map(([table, columns]) => createTableSql("", table, columns));
  return createHash("sha256").update(sql.join(";")).digest("hex").slice(0, 8);
}
