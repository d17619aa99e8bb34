/**
 * Takes rows from hot files into derived ones: added up (minutes, hours) or to be kept longer (records, traces); from the hours into days; and from the traces
 * those that are kept longer still.
 *
 * A hot file's tables only grow, so DuckDB's `rowid` counts their rows in the order of arrival, across checkpoints, kills
 * and restarts. What is taken in is told by arrival and not by time: rows that come hours late are rows like all others.
 *
 * Invariants:
 * - A step takes the rows from the mark to a later one into one derived file, and writes the later mark there, in one
 *   transaction. A kill leaves both or none.
 * - So each row is either below the mark, and in the derived file once, or not below it; views read the latter from the
 *   hot file (views.ts). A sum over a view is that over all rows ever received, at any moment.
 * - All columns add up, so a window of which rows came early and late has two rows and no one is ever changed.
 * - A hot file goes only when every derived table has its last row.
 * - The marks of a hot file lie in derived files of its own day, week or month: whoever loses such a file loses the marks with it, and
 *   takes the rows in again if they are still there.
 * - A name of a hot file of which a mark exceeds the rows (it was damaged, or is gone) is never written to again.
 *
 * Rows of a window that is not over yet wait, which keeps windows in one piece as a rule; it is no part of the above.
 *
 * Files of hours grow in the same way, and days are made of them as these are of hot files. They stay beside their days as long as these: a file of
 * days that does not fit the hours that are there is made anew. A file of traces is sampled when all of it is there, and goes then;
 * its marks go when the store is opened again, see FileSet.
 */
import type { DuckDBConnection } from "@duckdb/node-api";
import {
  DAY_SEC,
  DERIVED,
  type DerivedKind,
  type DerivedTable,
  HOUR_SEC,
  MADE_OF_HOT,
  MINUTE_SEC,
} from "../rollups.ts";
import { identifier } from "./column-types.ts";
import type { FileSet } from "./file-set.ts";
import { type RowSpan, takeInSql } from "./rollup-sql.ts";
import { periodOf, type StoreFile } from "./store-file.ts";
import { markSql, text } from "./views.ts";

/** A window's rows may arrive this long after it. */
const GRACE_SEC = 30;
const UNITS_SEC: Readonly<Partial<Record<DerivedKind, number>>> = {
  minutes: MINUTE_SEC,
  hours: HOUR_SEC,
  days: DAY_SEC,
};

type Transaction = (run: () => Promise<void>) => Promise<void>;

export class Roller {
  readonly #connection: DuckDBConnection;
  readonly #files: FileSet;
  readonly #transaction: Transaction;
  /** How many rows a table had at earlier runs: a host whose clock is ahead must not hold up the others for good. */
  readonly #seen: Map<string, { atSec: number; rows: number }[]> = new Map();

  constructor(connection: DuckDBConnection, files: FileSet, transaction: Transaction) {
    this.#connection = connection;
    this.#files = files;
    this.#transaction = transaction;
  }

  /**
   * One transaction; answers how many rows it took in, 0 when there is nothing to do now. Without `nowMs` rows are taken in
   * whether their window is over or not.
   */
  async step(from: StoreFile, kind: DerivedKind, nowMs: number | null): Promise<number> {
    const due: { target: string; table: DerivedTable; span: RowSpan }[] = [];
    for (const [target, table] of Object.entries(DERIVED[kind])) {
      const span = await this.#dueSpan(from, kind, target, table, nowMs);
      if (span.to > span.from) due.push({ target, table, span });
      // Traces before their pieces: what goes must not be seen without them.
      if (kind === "sampled" && due.length > 0) break;
    }
    if (due.length === 0) return 0;
    const { catalog } = await this.#files.ensure(kind, periodOf(kind, from.period));
    const main = `${identifier(catalog)}.main`;
    const takeIn = (): Promise<void> =>
      this.#transaction(async () => {
        for (const { target, table, span } of due) {
          const source = this.#files.source(from, table.source);
          await this.#connection.run(
            takeInSql(`${main}.${identifier(target)}`, table, source, span, this.#tracesOf(from)),
          );
          await this.#connection.run(
            `INSERT INTO ${main}.marks (source, target, upto) VALUES (${text(from.catalog)}, ${text(target)}, ${span.to})`,
          );
        }
      });
    const targets = due.map(({ target }) => target);
    await (kind === "hours" ? this.#files.addHours(targets, takeIn) : takeIn());
    return due.reduce((sum, { span }) => sum + span.to - span.from, 0);
  }

  /** Tables of the traces of a file's day; none of files that have none. */
  #tracesOf({ kind, period }: StoreFile): string[] {
    if (kind !== "traces") return [];
    const files = this.#files.of("traces").filter((file) => file.period === period);
    return files.map((file) => this.#files.source(file, "traces").sql);
  }

  /** Whether files of the kind have every row of the file. */
  async hasAll(from: StoreFile, kind: DerivedKind): Promise<boolean> {
    for (const [target, { source }] of Object.entries(DERIVED[kind]))
      if ((await this.#mark(from, kind, target)) < (await this.#rows(from, source))) return false;
    return true;
  }

  /** Whether a derived file has rows of this hot file that it does not have itself. */
  async hasLost(hot: StoreFile, isThere: boolean): Promise<boolean> {
    for (const kind of MADE_OF_HOT) {
      for (const [target, { source }] of Object.entries(DERIVED[kind])) {
        const mark = await this.#mark(hot, kind, target);
        if (mark > 0 && mark > (isThere ? await this.#rows(hot, source) : 0)) return true;
      }
    }
    return false;
  }

  /** Files of days with rows of hours that are not there: these were damaged, or are gone. */
  async unfoundedDays(): Promise<StoreFile[]> {
    const unfounded: StoreFile[] = [];
    for (const days of this.#files.of("days")) {
      const found = await this.#connection.runAndReadAll(
        `SELECT source, target, max(upto) FROM ${identifier(days.catalog)}.main.marks GROUP BY ALL`,
      );
      for (const [catalog, target, upto] of found.getRowsJS() as [string, string, number][]) {
        const hours = this.#files.of("hours").find((file) => file.catalog === catalog);
        const source = DERIVED.days[target]?.source;
        if (source === undefined) continue;
        const rows = hours === undefined ? 0 : await this.#rows(hours, source);
        if (upto > rows && !unfounded.includes(days)) unfounded.push(days);
      }
    }
    return unfounded;
  }

  async #dueSpan(
    file: StoreFile,
    kind: DerivedKind,
    target: string,
    { source, chunkRows }: DerivedTable,
    nowMs: number | null,
  ): Promise<RowSpan> {
    const from = await this.#mark(file, kind, target);
    const rows = await this.#rows(file, source);
    const to = Math.min(rows, from + chunkRows);
    const unitSec = UNITS_SEC[kind];
    if (nowMs === null || unitSec === undefined) return { from, to };
    const nowSec = Math.floor(nowMs / 1000);
    const old = this.#rowsBefore(`${file.catalog} ${kind} ${target}`, nowSec, unitSec, rows);
    const openSec = Math.floor((nowSec - GRACE_SEC) / unitSec) * unitSec;
    const firstOpen = await this.#number(
      `SELECT min(rowid) FROM ${this.#files.source(file, source).sql}
       WHERE rowid >= ${from} AND rowid < ${to} AND ts_s >= ${Math.max(0, openSec)}`,
    );
    return { from, to: firstOpen === null ? to : Math.min(to, Math.max(firstOpen, old)) };
  }

  /** Rows that the table had a unit ago or longer, as far as this process knows. */
  #rowsBefore(key: string, nowSec: number, unitSec: number, rows: number): number {
    const seen = this.#seen.get(key) ?? [];
    const newest = seen.findLastIndex(({ atSec }) => atSec <= nowSec - unitSec);
    const kept = seen.slice(Math.max(0, newest));
    if (kept.at(-1)?.atSec !== nowSec) kept.push({ atSec: nowSec, rows });
    this.#seen.set(key, kept);
    return newest === -1 ? 0 : (kept[0]?.rows ?? 0);
  }

  async #mark(from: StoreFile, kind: DerivedKind, target: string): Promise<number> {
    return (await this.#number(`SELECT ${markSql(this.#files, kind, from, target)}`)) ?? 0;
  }

  async #rows(from: StoreFile, source: DerivedTable["source"]): Promise<number> {
    return (await this.#number(`SELECT max(rowid) + 1 FROM ${this.#files.source(from, source).sql}`)) ?? 0;
  }

  async #number(sql: string): Promise<number | null> {
    const [value] = (await this.#connection.runAndReadAll(sql)).getRowsJS()[0] ?? [];
    return value === null || value === undefined ? null : Number(value);
  }
}
