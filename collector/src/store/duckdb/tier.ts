import type { TableName } from "../tables.ts";

/**
 * The table that answers for a range at a step. There is only the raw one yet; rolled-up ones will be chosen here and
 * nowhere else.
 */
export function tierOf(table: TableName): string {
  return table;
}
