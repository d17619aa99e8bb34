/**
 * DuckDB with files per UTC day, week or month of arrival, attached to an in-memory database whose views join the days.
 *
 *   store/hot/<day>-<schema>.duckdb       rows as they arrived (tables.ts), append-only, without keys or indexes
 *   store/{minutes,traces}/…              what was made of a day's rows before they go (rollups.ts, roller.ts)
 *   store/records/<monday>-<schema>.duckdb  the same, of a week
 *   store/hours/<month>-<schema>.duckdb   the same, of a month
 *   store/days/<month>-<schema>.duckdb    what was made of these, which stay
 *   store/sampled/<monday>-<schema>.duckdb  a week's traces that are kept longer than the others
 *   store/quarantine/                     what could not be opened
 *   collector.lock                        a database that only serves its lock, which the kernel frees with the process
 *
 * One connection writes, with reused appenders; two read. A transaction may write to one attached file only, so all rows
 * of a batch go to the day of its arrival. Times in SQL are Unix seconds: no time zone is involved anywhere.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { type DuckDBConnection, DuckDBInstance, type DuckDBValue } from "@duckdb/node-api";
import type { BatchRange } from "../batch-index.ts";
import { emitBatchRows, emitTrace, type ReceivedBatch } from "../batch-rows.ts";
import type { Retention } from "../retention.ts";
import type { MaintenanceJob, StoredTracePart } from "../store.ts";
import { StoreError } from "../store-error.ts";
import { type Row, TABLE_NAMES, type TableName } from "../tables.ts";
import { FileSet } from "./file-set.ts";
import { type MaintenanceTask, maintenanceTasks } from "./maintenance.ts";
import { type PackedRows, unpackedRows } from "./packed-rows.ts";
import { type QueryAsker, QueryGate } from "./query-gate.ts";
import { Roller } from "./roller.ts";
import {
  attachFile,
  bytesOf,
  detachFile,
  FILE_KINDS,
  type FileKind,
  type StoreFile,
  storeFile,
  unlinkFile,
  utcDay,
} from "./store-file.ts";
import { TableAppender } from "./table-appender.ts";

const QUERY_CONNECTIONS = 2;
const QUERY_ATTEMPTS = 5;
/**
 * Of new files. Rows since the last checkpoint take two blocks a column, and there are 190 columns: 97 MB with DuckDB's own
 * 256 KiB. Smaller ones than these make larger files and slower scans; see docs/decisions/0019.
 */
const BLOCK_BYTES = 65_536;
const OF_DAYS = /rows_of\(\w+_days,/;
const LOCK_CATALOG = "lock";

export interface DatabaseOptions {
  stateDir: string;
  memoryLimitMb: number;
  threads: number;
  queryTimeoutMs: number;
  queriesWaiting: number;
  retention: Retention;
}

export class Database {
  readonly #instance: DuckDBInstance;
  readonly #writer: DuckDBConnection;
  readonly #queries: QueryGate;
  readonly #files: FileSet;
  readonly #roller: Roller;
  readonly #retention: Retention;
  readonly #appenders: Map<TableName, TableAppender> = new Map();
  /** The file that is written to. */
  #today: StoreFile | null = null;
  /** False once a transaction could not be begun, committed or rolled back: nobody knows what is in the files then. */
  #isTrusted = true;

  private constructor(
    instance: DuckDBInstance,
    writer: DuckDBConnection,
    queries: QueryGate,
    files: FileSet,
    retention: Retention,
  ) {
    this.#instance = instance;
    this.#writer = writer;
    this.#queries = queries;
    this.#files = files;
    this.#roller = new Roller(writer, files, (run) => this.#transaction(run));
    this.#retention = retention;
  }

  /** Opens everything below `stateDir`, recovering what an earlier process left. */
  static async open(
    options: DatabaseOptions,
    nowMs: number,
    warn: (sentence: string) => void,
  ): Promise<{ database: Database; committed: BatchRange[] }> {
    const store = path.join(options.stateDir, "store");
    fs.mkdirSync(store, { recursive: true, mode: 0o700 });
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
    const { files, committed } = await FileSet.open(writer, store, warn);
    const readers = await Promise.all(Array.from({ length: QUERY_CONNECTIONS }, () => instance.connect()));
    const queries = new QueryGate(readers, {
      timeoutMs: options.queryTimeoutMs,
      maxWaiting: options.queriesWaiting,
    });
    const database = new Database(instance, writer, queries, files, options.retention);
    await database.#turnTo(utcDay(nowMs));
    await files.putAside(await database.#roller.unfoundedDays(), warn);
    database.#learnBounds();
    return { database, committed };
  }

  get isTrusted(): boolean {
    return this.#isTrusted;
  }

  /** Commits all of these batches or none. When it fails and `isTrusted` is false, either may have happened. */
  async write(batches: readonly ReceivedBatch[], nowMs: number): Promise<void> {
    await this.#turnTo(utcDay(nowMs));
    await this.#append((append) => {
      for (const batch of batches) emitBatchRows(batch, append);
    });
  }

  /** Commits all of these parts or none. */
  async addTraceParts(parts: readonly StoredTracePart[], nowMs: number): Promise<void> {
    await this.#turnTo(utcDay(nowMs));
    await this.#append((append) => {
      for (const part of parts) emitTrace(part, part.frame, append);
    });
  }

  async checkHealth(nowMs: number): Promise<void> {
    await this.#turnTo(utcDay(nowMs));
    await this.#append((append) => append("health", { checked_ms: nowMs }));
    const rows = await this.query("SELECT max(checked_ms) AS newest FROM health", {});
    if (!((unpackedRows(rows)[0]?.["newest"] as number) >= nowMs))
      throw new Error("a row that was written cannot be read back");
  }

  /**
   * A query that met files while they came or went, which DuckDB does not always bear, is asked again. One of days that met a step to the hours, see
   * FileSet, is asked once more of the hours, which are right at any moment.
   */
  async query(sql: string, values: Record<string, DuckDBValue>, asker?: QueryAsker): Promise<PackedRows> {
    for (let attempt = 1; ; attempt++) {
      const changes = await this.#files.changes();
      const { hoursChanges } = this.#files;
      try {
        const rows = await this.#queries.run(this.#files.withRows(sql), values, asker);
        if (hoursChanges === this.#files.hoursChanges || !OF_DAYS.test(sql)) return rows;
        return await this.#queries.run(this.#files.withRows(sql, "hours"), values, asker);
      } catch (error) {
        const isOver = error instanceof StoreError || attempt === QUERY_ATTEMPTS;
        if (isOver || changes === (await this.#files.changes())) throw error;
      }
    }
  }

  /** What a job has to do now. Its steps must not run beside a write. */
  async maintenance(job: MaintenanceJob, nowMs: number): Promise<MaintenanceTask[]> {
    await this.#turnTo(utcDay(nowMs));
    this.#learnBounds();
    return maintenanceTasks(job, nowMs, this.#retention, {
      files: this.#files,
      roller: this.#roller,
      isWritten: (hot) => hot.catalog === this.#today?.catalog,
    });
  }

  /** In the background: until it is done, queries look into more files than they need. */
  #learnBounds(): void {
    void this.#files.learnBounds(async (sql) => unpackedRows(await this.#queries.run(sql, {})));
  }

  size(): DatabaseSize {
    const sum = (files: StoreFile[]): number => files.reduce((bytes, file) => bytes + bytesOf(file), 0);
    return {
      bytes: sum(this.#files.of(...FILE_KINDS)),
      days: [...new Set(this.#files.of("hot").map(({ period }) => period))],
      bytesByKind: Object.fromEntries(
        FILE_KINDS.map((kind) => [kind, sum(this.#files.of(kind))]),
      ) as DatabaseSize["bytesByKind"],
    };
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
    for (const { catalog } of this.#files.of(...FILE_KINDS))
      await attempt(() => detachFile(this.#writer, catalog));
    await attempt(() => detachFile(this.#writer, LOCK_CATALOG));
    this.#writer.disconnectSync();
    this.#instance.closeSync();
    return problems;
  }

  async #append(fill: (append: (table: TableName, row: Row) => void) => void): Promise<void> {
    const used = new Set<TableAppender>();
    const firsts = new Map<TableName, number>();
    await this.#transaction(() => {
      try {
        fill((table, row) => {
          const first = row["ts_s"];
          if (typeof first === "number" && first < (firsts.get(table) ?? Number.POSITIVE_INFINITY))
            firsts.set(table, first);
          const appender = this.#appender(table);
          used.add(appender);
          appender.add(row);
        });
        for (const appender of used) appender.flush();
      } catch (error) {
        for (const appender of used) appender.discard();
        throw error;
      }
    });
    for (const [table, first] of firsts) this.#files.noteAdded(table, first);
  }

  async #transaction(run: () => void | Promise<void>): Promise<void> {
    await this.#control("BEGIN");
    try {
      await run();
    } catch (error) {
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
    if (this.#today && this.#today.period >= day) return;
    const next = await this.#files.ensure("hot", day, await this.#turn(day));
    await this.#files.createViews();
    this.#closeAppenders();
    for (const table of TABLE_NAMES)
      this.#appenders.set(table, await TableAppender.open(this.#writer, next.catalog, table));
    this.#today = next;
    this.#files.setWritten(next);
  }

  /** Numbers of rows are given once: a file that lost some of them, or is gone with them, has a successor. */
  async #turn(day: string): Promise<number> {
    const known = new Set(this.#files.of("hot").map(({ catalog }) => catalog));
    for (let turn = 0; ; turn++) {
      const file = storeFile("", "hot", day, turn);
      if (!(await this.#roller.hasLost(file, known.has(file.catalog)))) return turn;
    }
  }

  #closeAppenders(): void {
    for (const appender of this.#appenders.values()) appender.close();
    this.#appenders.clear();
  }
}

export interface DatabaseSize {
  bytes: number;
  /** UTC days of which rows are there as they arrived. */
  days: string[];
  bytesByKind: Record<FileKind, number>;
}

/** Throws DuckDB's error when another process holds it. A lock file that is damaged is made anew: nothing is in it. */
async function takeLock(connection: DuckDBConnection, file: string): Promise<void> {
  const lock = { catalog: LOCK_CATALOG, file };
  try {
    await attachFile(connection, lock);
  } catch (error) {
    if (/conflicting lock|permission denied/i.test((error as Error).message)) throw error;
    unlinkFile(file);
    await attachFile(connection, lock);
  }
}
