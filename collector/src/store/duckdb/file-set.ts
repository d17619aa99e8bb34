import * as fs from "node:fs";
import * as path from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import type { BatchRange } from "../batch-index.ts";
import { type DerivedKind, MADE_OF, STAND_INS, type TieredTable } from "../rollups.ts";
import type { TimeRange } from "../store.ts";
import type { TableName } from "../tables.ts";
import { identifier } from "./column-types.ts";
import type { SourceTable } from "./rollup-sql.ts";
import {
  attachFile,
  createTables,
  detachFile,
  FILE_KINDS,
  FILE_TABLES,
  type FileKind,
  isOfThisBuild,
  listStoreFiles,
  moveAside,
  readBatchRanges,
  recoverFile,
  type StoreFile,
  storeFile,
  takesIn,
  unlinkFile,
} from "./store-file.ts";
import { TimeBounds } from "./time-bounds.ts";
import { UntakenBounds } from "./untaken-bounds.ts";
import { sourceName, text, unionSql, type ViewArm, viewArms } from "./views.ts";

/** Kinds of files that others are made of. */
const SOURCES: ReadonlySet<FileKind> = new Set(Object.values(MADE_OF));
const NAMES = /\w+/g;
const ROWS_OF = /\brows_of\((\w+), (\d+), (\d+)\)/g;

/** All files of the store, attached to one DuckDB, and the views in its own catalog by which they are read as one. */
export class FileSet {
  readonly #connection: DuckDBConnection;
  readonly #folder: string;
  #files: StoreFile[] = [];
  /** Columns of the tables of files that others are made of, by catalog and table. */
  readonly #columns: Map<string, Map<string, Set<string>>> = new Map();
  /** Files of sums that lack a table which later builds have, by that table. */
  readonly #lacking: Map<string, Set<string>> = new Map();
  /** Files that no row will come to any more, and that are taken in whole, by kind of the files that did so. */
  readonly #taken: Map<DerivedKind, Set<string>> = new Map();

  #written: StoreFile | null = null;
  #changes = 0;
  /**
   * Counts when rows are about to come to the hours, and when they have. A query sees each file as it is when it first reads it, and was told
   * before which files those are: rows that come to the hours meanwhile may be in none that it sees, or in the days too.
   */
  #hoursChanges = 0;
  #changing: Promise<void> = Promise.resolve();
  /** As they are now: making one takes milliseconds. */
  readonly #views: Map<string, string> = new Map();
  #arms: ReadonlyMap<string, readonly ViewArm[]> = new Map();
  /** Of files that no row will come to any more. */
  readonly #bounds: TimeBounds = new TimeBounds();
  readonly #untaken: UntakenBounds = new UntakenBounds();

  private constructor(connection: DuckDBConnection, folder: string) {
    this.#connection = connection;
    this.#folder = folder;
  }

  /** Attaches every file below `folder`, recovering what an earlier process left. */
  static async open(
    connection: DuckDBConnection,
    folder: string,
    warn: (sentence: string) => void,
  ): Promise<{ files: FileSet; committed: BatchRange[] }> {
    const files = new FileSet(connection, folder);
    const quarantine = path.join(folder, "quarantine");
    for (const name of [...FILE_KINDS.map((kind) => path.join(folder, kind)), quarantine])
      fs.mkdirSync(name, { recursive: true, mode: 0o700 });
    const committed: BatchRange[] = [];
    for (const kind of FILE_KINDS) {
      for (const file of listStoreFiles(folder, kind)) {
        if (!(await recoverFile(connection, file, quarantine, warn))) continue;
        await files.#add(file);
        for (const range of await readBatchRanges(connection, file)) committed.push(range);
      }
    }
    await files.#takeOverSampled();
    return { files, committed };
  }

  /** Files of the kinds, oldest first. */
  of(...kinds: FileKind[]): StoreFile[] {
    return this.#files.filter(({ kind }) => kinds.includes(kind));
  }

  /** The file of a period that is written to now; made when it is not there. */
  async ensure(kind: FileKind, period: string, turn?: number): Promise<StoreFile> {
    const wanted = storeFile(this.#folder, kind, period, turn);
    const known = this.#files.find(({ catalog }) => catalog === wanted.catalog);
    if (known) return known;
    await this.change(async () => {
      await attachFile(this.#connection, wanted);
      await createTables(this.#connection, wanted);
      await this.#add(wanted);
      await this.createViews();
    });
    return wanted;
  }

  /** Forgets files for good: their space is free at once. */
  async drop(...dropped: StoreFile[]): Promise<void> {
    this.#files = this.#files.filter((file) => !dropped.includes(file));
    await this.change(async () => {
      await this.createViews();
      for (const { catalog, file } of dropped) {
        await detachFile(this.#connection, catalog);
        unlinkFile(file);
        this.#columns.delete(catalog);
        this.#bounds.forget(catalog);
      }
    });
  }

  /** Takes files of days away that are of no use, see Roller.unfoundedDays, and says so. */
  async putAside(days: readonly StoreFile[], warn: (sentence: string) => void): Promise<void> {
    this.#files = this.#files.filter((file) => !days.includes(file));
    await this.change(() => this.createViews());
    for (const file of days) {
      await detachFile(this.#connection, file.catalog);
      const aside = moveAside(file, path.join(this.#folder, "quarantine"));
      warn(
        `hours of ${file.period} are not there any more of which there are sums by the day (${file.file}); these were moved to ${aside} and are made anew of what is there`,
      );
    }
  }

  /** A table of a file that others are made of, to read from. */
  source(file: StoreFile, table: TableName | TieredTable): SourceTable {
    const found = this.tableIn(file, table);
    return {
      sql: `${identifier(file.catalog)}.main.${identifier(found)}`,
      columns: this.#columns.get(file.catalog)?.get(found) ?? new Set(),
    };
  }

  /** The table of a file of sums that has this one's rows. */
  tableIn({ catalog }: StoreFile, table: string): string {
    const standIn = this.#lacking.get(table)?.has(catalog) === true ? STAND_INS[table] : undefined;
    return standIn ?? table;
  }

  isTaken(source: StoreFile, kind: DerivedKind): boolean {
    return this.#taken.get(kind)?.has(source.catalog) === true;
  }

  /** From now on, nothing is looked for in this file that files of the kind should have. */
  async setTaken(source: StoreFile, kind: DerivedKind): Promise<void> {
    this.#taken.set(kind, (this.#taken.get(kind) ?? new Set()).add(source.catalog));
    await this.change(() => this.createViews());
  }

  /** Counts attached, detached and newly viewed files, once those that are on their way are done. */
  async changes(): Promise<number> {
    await this.#changing;
    return this.#changes;
  }

  /** Whatever attaches or detaches runs in here, so that queries know. */
  async change(run: () => Promise<void>): Promise<void> {
    this.#changes++;
    const change = run();
    this.#changing = change.catch(() => undefined);
    await change;
  }

  get hoursChanges(): number {
    return this.#hoursChanges;
  }

  /**
   * The same SQL with `rows_of(view, from, to)` replaced, see sql-parts.ts: by the view, without files that have no row of that time and without columns
   * that the SQL does not name. Whole days can be read from the hours.
   */
  withRows(sql: string, days: "days" | "hours" = "days"): string {
    const names = new Set(sql.match(NAMES));
    return sql.replace(ROWS_OF, (_, name: string, from: string, to: string) => {
      const view = name.replace(/_days$/, `_${days}`);
      const arms = this.#arms.get(view);
      if (arms === undefined) throw new Error(`there is no view ${view}`);
      const range = { fromSec: Number(from), toSec: Number(to) };
      const found = arms.filter((arm) => this.#mayHave(arm, range));
      // One arm tells the columns of no rows.
      return `(${unionSql(found.length > 0 ? found : arms.slice(-1), (column) => names.has(column))})`;
    });
  }

  /** Rows of this second or later have come to a table of the file that is written to. */
  noteAdded(table: TableName, tsSec: number): void {
    this.#untaken.noteAdded(sourceName("hot", table), tsSec);
  }

  /** Whatever adds rows to tables of the hours runs in here: they are seen there as soon as they are gone elsewhere. */
  async addHours(tables: readonly string[], run: () => Promise<void>): Promise<void> {
    const note = (): void => {
      this.#hoursChanges++;
      for (const table of tables) this.#untaken.noteAdded(sourceName("hours", table), 0);
    };
    note();
    await run().finally(note);
  }

  /**
   * Looks up of what times the files have rows: those that no row will come to any more, and of the others the rows that are in no
   * file of sums yet. `query` runs on the files' database.
   */
  async learnBounds(query: (sql: string) => Promise<Record<string, unknown>[]>): Promise<void> {
    await this.#learnComplete(query);
    const untaken = [...this.#arms.values()].flat().flatMap(({ file, untaken: one }) => {
      return one === undefined || this.#bounds.knows(file.catalog) ? [] : [[one.what, one.firstSql] as const];
    });
    const hoursChanges = this.#hoursChanges;
    // They come in twos.
    if (untaken.length === 0 || hoursChanges % 2 === 1) return;
    await this.#untaken
      .learn(async () => {
        const rows = await query([...new Map(untaken).values()].join(" UNION ALL "));
        if (hoursChanges !== this.#hoursChanges) return null;
        return new Map(
          rows.map(({ what, first }) => [
            what as string,
            (first as number | null) ?? Number.POSITIVE_INFINITY,
          ]),
        );
      })
      // Queries look into more files than they need until it succeeds.
      .catch(() => undefined);
  }

  async #learnComplete(query: (sql: string) => Promise<Record<string, unknown>[]>): Promise<void> {
    for (const file of this.#files.filter((one) => this.isComplete(one))) {
      if (this.#bounds.knows(file.catalog)) continue;
      const tables = Object.entries(FILE_TABLES[file.kind]).filter(([, columns]) => "ts_s" in columns);
      const selects = tables.map(
        ([table]) =>
          `SELECT ${text(table)} AS "table", min(ts_s) AS first, max(ts_s) AS last FROM ${identifier(file.catalog)}.main.${identifier(table)}`,
      );
      // A file that cannot be looked through is looked into by every query, which tell why.
      const bounds = await query(selects.join(" UNION ALL ")).catch(() => null);
      if (bounds !== null && this.#files.includes(file)) this.#bounds.learn(file.catalog, bounds);
    }
  }

  #mayHave({ file, table, untaken }: ViewArm, range: TimeRange): boolean {
    if (!this.#bounds.mayHave(file.catalog, table, range)) return false;
    if (untaken === undefined) return true;
    const { what, source, earlierSec } = untaken;
    return this.#untaken.firstSec(what, source) - earlierSec < range.toSec;
  }

  /** From now on rows come to this file and to none of an earlier day. */
  setWritten(hot: StoreFile): void {
    this.#written = hot;
    this.#bounds.forget(hot.catalog);
  }

  /** No row will come to it any more. */
  isComplete(file: StoreFile): boolean {
    const { kind } = file;
    if (kind === "hot") return this.#isBehind(file);
    // Of rows that arrived in these days, traces will be made.
    if (kind === "sampled" && this.of("hot").some(({ period }) => takesIn(file, period))) return false;
    return this.sourcesOf(kind, file.period).every(
      (source) => this.isTaken(source, kind) && this.isComplete(source),
    );
  }

  /** Files of which a file of the kind and period is made. */
  sourcesOf(kind: DerivedKind, period: string): StoreFile[] {
    return this.of(MADE_OF[kind]).filter((source) => takesIn({ kind, period }, source.period));
  }

  /** Of files of one day any may be written to last: their names say nothing of that. */
  #isBehind({ period, catalog }: StoreFile): boolean {
    const written = this.#written;
    if (written === null) return false;
    return period < written.period || (period === written.period && catalog !== written.catalog);
  }

  async createViews(): Promise<void> {
    this.#arms = viewArms(this);
    for (const [name, arms] of this.#arms) {
      const sql = unionSql(arms);
      if (this.#views.get(name) === sql) continue;
      await this.#connection.run(`CREATE OR REPLACE VIEW memory.main.${identifier(name)} AS ${sql}`);
      this.#views.set(name, sql);
    }
  }

  async #add(file: StoreFile): Promise<void> {
    this.#files = [...this.#files, file];
    if (file.kind === "minutes" || file.kind === "hours") await this.#lookForTables(file);
    if (!SOURCES.has(file.kind)) return;
    const found = await this.#connection.runAndReadAll(
      "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = $catalog",
      { catalog: file.catalog },
    );
    const tables = new Map<string, Set<string>>();
    for (const [table, column] of found.getRowsJS() as [string, string][])
      tables.set(table, (tables.get(table) ?? new Set()).add(column));
    this.#columns.set(file.catalog, tables);
  }

  /** When the file was opened, tables that it lacked were made, empty: what was taken into a table left a mark. */
  async #lookForTables(file: StoreFile): Promise<void> {
    if (isOfThisBuild(file)) return;
    const found = await this.#connection.runAndReadAll(
      `SELECT DISTINCT target FROM ${identifier(file.catalog)}.main.marks`,
    );
    const targets = new Set(found.getRowsJS().map(([target]) => target as string));
    for (const [table, standIn] of Object.entries(STAND_INS))
      if (!targets.has(table) && standIn !== undefined && targets.has(standIn))
        this.#lacking.set(table, (this.#lacking.get(table) ?? new Set()).add(file.catalog));
  }

  /**
   * Files of traces that were sampled are gone. Should a clock go back, others may come under their names: their rows are not those of the marks. Earlier
   * builds wrote a day's sample as a file of its own, without marks, and let go of the day when it was whole: a kill may have come between.
   */
  async #takeOverSampled(): Promise<void> {
    const sampled = this.of("sampled");
    const done = this.of("traces").filter(({ period }) =>
      sampled.some((file) => file.period === period && !isOfThisBuild(file)),
    );
    this.#files = this.#files.filter((file) => !done.includes(file));
    for (const { catalog, file } of done) {
      await detachFile(this.#connection, catalog);
      unlinkFile(file);
    }
    const folder = path.join(this.#folder, "sampled");
    for (const name of fs.readdirSync(folder))
      if (name.includes(".duckdb.new")) fs.rmSync(path.join(folder, name), { force: true });
    const there = this.of("traces").map(({ catalog }) => text(catalog));
    for (const { catalog } of sampled)
      await this.#connection.run(
        `DELETE FROM ${identifier(catalog)}.main.marks WHERE NOT list_contains([${there.join(", ")}]::VARCHAR[], source)`,
      );
  }
}
