/**
 * DuckDB with one file per UTC day of arrival, attached to an in-memory database whose views join the days.
 *
 *   store/hot/<day>-<schema>.duckdb   tables.ts, append-only, without keys or indexes
 *   store/quarantine/                 what could not be opened
 *   collector.lock                    a database that only serves its lock, which the kernel frees with the process
 *
 * One connection writes, with reused appenders; two read. A transaction may write to one attached file only, so all rows
 * of a batch go to the day of its arrival. Times in SQL are Unix seconds: no time zone is involved anywhere.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { type DuckDBConnection, DuckDBInstance, type DuckDBValue } from "@duckdb/node-api";
import type { BatchRange } from "../batch-index.ts";
import { emitBatchRows, emitTrace, type ReceivedBatch } from "../batch-rows.ts";
import type { StoredTracePart } from "../store.ts";
import { type Row, TABLE_NAMES, type TableName } from "../tables.ts";
import { identifier } from "./column-types.ts";
import {
  attachDay,
  createTables,
  type DayFile,
  dayFile,
  detachDay,
  listDayFiles,
  recoverDay,
  unlinkDay,
  utcDay,
} from "./day-file.ts";
import { QueryGate, type ResultRow } from "./query-gate.ts";
import { TableAppender } from "./table-appender.ts";

const QUERY_CONNECTIONS = 2;
/**
 * Of new files. Rows since the last checkpoint take two blocks a column, and there are 190 columns: 97 MB with DuckDB's own
 * 256 KiB. Smaller ones than these make larger files and slower scans; see docs/decisions/0019.
 */
const BLOCK_BYTES = 65_536;
const LOCK_CATALOG = "lock";

export interface DatabaseOptions {
  stateDir: string;
  memoryLimitMb: number;
  threads: number;
  queryTimeoutMs: number;
  queriesWaiting: number;
}

export class Database {
  readonly #instance: DuckDBInstance;
  readonly #writer: DuckDBConnection;
  readonly #queries: QueryGate;
  readonly #folder: string;
  readonly #appenders: Map<TableName, TableAppender> = new Map();
  #days: DayFile[];
  /** The day that is written to. */
  #today: DayFile | null = null;
  /** False once a transaction could not be begun, committed or rolled back: nobody knows what is in the files then. */
  #isTrusted = true;

  private constructor(
    instance: DuckDBInstance,
    writer: DuckDBConnection,
    queries: QueryGate,
    folder: string,
    days: DayFile[],
  ) {
    this.#instance = instance;
    this.#writer = writer;
    this.#queries = queries;
    this.#folder = folder;
    this.#days = days;
  }

  /** Opens everything below `stateDir`, recovering what an earlier process left. */
  static async open(
    options: DatabaseOptions,
    nowMs: number,
    warn: (sentence: string) => void,
  ): Promise<{ database: Database; committed: BatchRange[] }> {
    const store = path.join(options.stateDir, "store");
    const folder = path.join(store, "hot");
    const quarantine = path.join(store, "quarantine");
    for (const needed of [folder, quarantine]) fs.mkdirSync(needed, { recursive: true, mode: 0o700 });
    const instance = await DuckDBInstance.create(":memory:", {
      threads: String(options.threads),
      memory_limit: `${options.memoryLimitMb}MB`,
      checkpoint_threshold: "16MB",
      default_block_size: String(BLOCK_BYTES),
      temp_directory: path.join(store, "tmp"),
      autoinstall_known_extensions: "false",
      autoload_known_extensions: "false",
    });
    const writer = await instance.connect();
    await takeLock(writer, path.join(options.stateDir, "collector.lock"));
    const days: DayFile[] = [];
    const committed: BatchRange[] = [];
    for (const day of listDayFiles(folder)) {
      const ranges = await recoverDay(writer, day, quarantine, warn);
      if (!ranges) continue;
      days.push(day);
      committed.push(...ranges);
    }
    const readers = await Promise.all(Array.from({ length: QUERY_CONNECTIONS }, () => instance.connect()));
    const queries = new QueryGate(readers, {
      timeoutMs: options.queryTimeoutMs,
      maxWaiting: options.queriesWaiting,
    });
    const database = new Database(instance, writer, queries, folder, days);
    await database.#turnTo(utcDay(nowMs));
    return { database, committed };
  }

  get isTrusted(): boolean {
    return this.#isTrusted;
  }

  /** Commits all of these batches or none. When it fails and `isTrusted` is false, either may have happened. */
  async write(batches: readonly ReceivedBatch[], nowMs: number): Promise<void> {
    await this.#turnTo(utcDay(nowMs));
    await this.#transaction((append) => {
      for (const batch of batches) emitBatchRows(batch, append);
    });
  }

  /** Commits all of these parts or none. */
  async addTraceParts(parts: readonly StoredTracePart[], nowMs: number): Promise<void> {
    await this.#turnTo(utcDay(nowMs));
    await this.#transaction((append) => {
      for (const part of parts) emitTrace(part, part.frame, append);
    });
  }

  async checkHealth(nowMs: number): Promise<void> {
    await this.#turnTo(utcDay(nowMs));
    await this.#transaction((append) => append("health", { checked_ms: nowMs }));
    const rows = await this.query("SELECT max(checked_ms) AS newest FROM health", {});
    if (!((rows[0]?.["newest"] as number) >= nowMs))
      throw new Error("a row that was written cannot be read back");
  }

  query(sql: string, values: Record<string, DuckDBValue>, left?: AbortSignal): Promise<ResultRow[]> {
    return this.#queries.run(sql, values, left);
  }

  /** Removes the days before `firstDay`. */
  async expire(firstDay: string): Promise<string[]> {
    const expired = this.#days.filter((day) => day.day < firstDay && day.catalog !== this.#today?.catalog);
    if (expired.length === 0) return [];
    this.#days = this.#days.filter((day) => !expired.includes(day));
    await this.#createViews();
    for (const day of expired) {
      await detachDay(this.#writer, day.catalog);
      unlinkDay(day);
    }
    return expired.map((day) => day.day);
  }

  size(): { bytes: number; days: string[] } {
    let bytes = 0;
    for (const { file } of this.#days) {
      for (const part of [file, `${file}.wal`])
        bytes += fs.statSync(part, { throwIfNoEntry: false })?.size ?? 0;
    }
    return { bytes, days: [...new Set(this.#days.map((day) => day.day))] };
  }

  /**
   * Lets go of every file; detaching checkpoints them. What goes wrong is answered, not thrown: all that was committed is
   * in the files and their WALs already.
   */
  async close(): Promise<Error[]> {
    const problems: Error[] = [];
    const attempt = async (step: () => void | Promise<void>): Promise<void> => {
      try {
        await step();
      } catch (error) {
        problems.push(error as Error);
      }
    };
    await this.#queries.close();
    await attempt(() => this.#closeAppenders());
    for (const { catalog } of this.#days) await attempt(() => detachDay(this.#writer, catalog));
    await attempt(() => detachDay(this.#writer, LOCK_CATALOG));
    this.#writer.disconnectSync();
    this.#instance.closeSync();
    return problems;
  }

  async #transaction(fill: (append: (table: TableName, row: Row) => void) => void): Promise<void> {
    const used = new Set<TableAppender>();
    await this.#control("BEGIN");
    try {
      fill((table, row) => {
        const appender = this.#appender(table);
        used.add(appender);
        appender.add(row);
      });
      for (const appender of used) appender.flush();
    } catch (error) {
      for (const appender of used) appender.discard();
      await this.#control("ROLLBACK");
      throw error;
    }
    await this.#control("COMMIT");
  }

  async #control(sql: "BEGIN" | "COMMIT" | "ROLLBACK"): Promise<void> {
    try {
      await this.#writer.run(sql);
    } catch (error) {
      this.#isTrusted = false;
      throw error;
    }
  }

  #appender(table: TableName): TableAppender {
    const appender = this.#appenders.get(table);
    if (!appender) throw new Error(`there is no appender of ${table}`);
    return appender;
  }

  /** Makes `day` the one that is written to. A clock that goes back does not reopen an earlier day. */
  async #turnTo(day: string): Promise<void> {
    if (this.#today && this.#today.day >= day) return;
    const next = dayFile(this.#folder, day);
    if (!this.#days.some((other) => other.catalog === next.catalog)) {
      await attachDay(this.#writer, next);
      this.#days = [...this.#days, next];
    }
    await createTables(this.#writer, next.catalog);
    await this.#createViews();
    this.#closeAppenders();
    for (const table of TABLE_NAMES)
      this.#appenders.set(table, await TableAppender.open(this.#writer, next.catalog, table));
    this.#today = next;
  }

  #closeAppenders(): void {
    for (const appender of this.#appenders.values()) appender.close();
    this.#appenders.clear();
  }

  async #createViews(): Promise<void> {
    for (const table of TABLE_NAMES) {
      const parts = this.#days.map(
        ({ catalog }) => `SELECT * FROM ${identifier(catalog)}.main.${identifier(table)}`,
      );
      await this.#writer.run(
        `CREATE OR REPLACE VIEW memory.main.${identifier(table)} AS ${parts.join(" UNION ALL BY NAME ")}`,
      );
    }
  }
}

/** Throws DuckDB's error when another process holds it. A lock file that is damaged is made anew: nothing is in it. */
async function takeLock(connection: DuckDBConnection, file: string): Promise<void> {
  const lock: DayFile = { day: "", catalog: LOCK_CATALOG, file };
  try {
    await attachDay(connection, lock);
  } catch (error) {
    if (/conflicting lock|permission denied/i.test((error as Error).message)) throw error;
    unlinkDay(lock);
    await attachDay(connection, lock);
  }
}
