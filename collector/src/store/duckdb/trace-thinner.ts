import type { DuckDBConnection } from "@duckdb/node-api";
import { identifier } from "./column-types.ts";
import type { FileSet } from "./file-set.ts";
import { attachFile, createTables, detachFile, type StoreFile } from "./store-file.ts";

/** Rows read at once: up to 8 KiB each. */
const CHUNK_ROWS = 2_000;
/** Of the others, one in so many is kept. */
const KEPT_ONE_IN = 10;
const NEW_CATALOG = "sampled being written";

/** Slow and failed ones, and a tenth of the rest by trace id, so that a trace's parts go together. */
export const IS_WORTH_BY_REASON: string = `error OR reason IN ('slow', 'error')
  OR coalesce(try_cast('0x' || right(trace_id, 8) AS UBIGINT), 0) % ${KEPT_ONE_IN} = 0`;

/** These, and those with a verdict. */
const IS_WORTH = `${IS_WORTH_BY_REASON} OR verdict IS NOT NULL`;

/**
 * Writes the traces of a day anew with those only that are worth keeping longer, since deleted rows would give no space
 * back. The new file replaces the day's others when it is whole; a kill before that leaves those as they were.
 */
export class TraceThinner {
  readonly #connection: DuckDBConnection;
  readonly #files: FileSet;
  readonly #period: string;
  readonly #sources: readonly StoreFile[];
  #newFile: string | null = null;
  /** Where the next chunk begins: which source, which of its tables, which row. */
  #at: { source: number; table: "traces" | "frame_pieces"; row: number } = {
    source: 0,
    table: "traces",
    row: 0,
  };

  constructor(connection: DuckDBConnection, files: FileSet, period: string) {
    this.#connection = connection;
    this.#files = files;
    this.#period = period;
    this.#sources = files.of("traces").filter((file) => file.period === period);
  }

  /** A chunk; answers whether all is done. */
  async step(): Promise<boolean> {
    if (this.#newFile === null) await this.#begin();
    const source = this.#sources[this.#at.source];
    if (source === undefined) {
      await this.#files.change(() => detachFile(this.#connection, NEW_CATALOG));
      await this.#files.replace("sampled", this.#period, this.#newFile ?? "", this.#sources);
      return true;
    }
    const { table, row } = this.#at;
    const main = `${identifier(source.catalog)}.main`;
    await this.#connection.run(
      `INSERT INTO ${identifier(NEW_CATALOG)}.main.${table} BY NAME SELECT * FROM ${main}.${table}
       WHERE rowid >= ${row} AND rowid < ${row + CHUNK_ROWS} AND ${this.#isKept(table)}`,
    );
    const found = await this.#connection.runAndReadAll(`SELECT max(rowid) FROM ${main}.${table}`);
    const isTableDone = Number(found.getRowsJS()[0]?.[0] ?? -1) < row + CHUNK_ROWS;
    if (!isTableDone) this.#at = { ...this.#at, row: row + CHUNK_ROWS };
    else if (table === "traces") this.#at = { ...this.#at, table: "frame_pieces", row: 0 };
    else this.#at = { source: this.#at.source + 1, table: "traces", row: 0 };
    return false;
  }

  /** Lets go of a file that was begun; what is in it is removed when it is begun again, or the store is opened. */
  async abandon(): Promise<void> {
    if (this.#newFile === null) return;
    await this.#files.change(() => detachFile(this.#connection, NEW_CATALOG));
  }

  async #begin(): Promise<void> {
    const file = this.#files.unfinished("sampled", this.#period);
    await this.#files.change(() => attachFile(this.#connection, { file, catalog: NEW_CATALOG }));
    this.#newFile = file;
    await createTables(this.#connection, { catalog: NEW_CATALOG, kind: "sampled" });
  }

  /** All parts of a trace of which one is worth keeping, and their pieces. */
  #isKept(table: "traces" | "frame_pieces"): string {
    const tables = this.#sources.map(({ catalog }) => `${identifier(catalog)}.main.traces`);
    const worth = tables
      .map((traces) => `SELECT trace_id FROM ${traces} WHERE ${IS_WORTH}`)
      .join(" UNION ALL ");
    if (table === "traces") return `trace_id IN (${worth})`;
    return `frame_id IN (SELECT frame_id FROM ${identifier(NEW_CATALOG)}.main.traces WHERE frame_id IS NOT NULL)`;
  }
}
