/**
 * Takes rows from hot files into derived ones: added up (minutes, hours) or to be kept longer (records, traces).
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
 * - The marks of a hot file lie in derived files of its own period: whoever loses such a file loses the marks with it, and
 *   takes the rows in again if they are still there.
 * - A name of a hot file of which a mark exceeds the rows (it was damaged, or is gone) is never written to again.
 *
 * Rows of a window that is not over yet wait, which keeps windows in one piece as a rule; it is no part of the above.
 */
import type { DuckDBConnection } from "@duckdb/node-api";
import { DERIVED, type DerivedKind, type DerivedTable, HOUR_SEC, MINUTE_SEC } from "../rollups.ts";
import { identifier } from "./column-types.ts";
import type { FileSet } from "./file-set.ts";
import { type RowSpan, takeInSql } from "./rollup-sql.ts";
import { periodOf, type StoreFile } from "./store-file.ts";
import { markSql, text } from "./views.ts";

/** A window's rows may arrive this long after it. */
const GRACE_SEC = 30;
const UNITS_SEC: Readonly<Record<"minutes" | "hours", number>> = { minutes: MINUTE_SEC, hours: HOUR_SEC };

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
  async step(hot: StoreFile, kind: DerivedKind, nowMs: number | null): Promise<number> {
    const due: { target: string; table: DerivedTable; span: RowSpan }[] = [];
    for (const [target, table] of Object.entries(DERIVED[kind])) {
      const span = await this.#dueSpan(hot, kind, target, table, nowMs);
      if (span.to > span.from) due.push({ target, table, span });
    }
    if (due.length === 0) return 0;
    const { catalog } = await this.#files.ensure(kind, periodOf(kind, hot.period));
    const main = `${identifier(catalog)}.main`;
    await this.#transaction(async () => {
      for (const { target, table, span } of due) {
        const source = this.#files.source(hot, table.source);
        await this.#connection.run(takeInSql(`${main}.${identifier(target)}`, table, source, span));
        await this.#connection.run(
          `INSERT INTO ${main}.marks (source, target, upto) VALUES (${text(hot.catalog)}, ${text(target)}, ${span.to})`,
        );
      }
    });
    return due.reduce((sum, { span }) => sum + span.to - span.from, 0);
  }

  /** Whether files of the kind have every row of the hot file. */
  async hasAll(hot: StoreFile, kind: DerivedKind): Promise<boolean> {
    for (const [target, { source }] of Object.entries(DERIVED[kind]))
      if ((await this.#mark(hot, kind, target)) < (await this.#rows(hot, source))) return false;
    return true;
  }

  /** Whether a derived file has rows of this hot file that it does not have itself. */
  async hasLost(hot: StoreFile, isThere: boolean): Promise<boolean> {
    for (const kind of Object.keys(DERIVED) as DerivedKind[]) {
      for (const [target, { source }] of Object.entries(DERIVED[kind])) {
        const mark = await this.#mark(hot, kind, target);
        if (mark > 0 && mark > (isThere ? await this.#rows(hot, source) : 0)) return true;
      }
    }
    return false;
  }

  async #dueSpan(
    hot: StoreFile,
    kind: DerivedKind,
    target: string,
    { source, chunkRows }: DerivedTable,
    nowMs: number | null,
  ): Promise<RowSpan> {
    const from = await this.#mark(hot, kind, target);
    const rows = await this.#rows(hot, source);
    const to = Math.min(rows, from + chunkRows);
    if (nowMs === null || (kind !== "minutes" && kind !== "hours")) return { from, to };
    const unitSec = UNITS_SEC[kind];
    const nowSec = Math.floor(nowMs / 1000);
    const old = this.#rowsBefore(`${hot.catalog} ${kind} ${target}`, nowSec, unitSec, rows);
    const openSec = Math.floor((nowSec - GRACE_SEC) / unitSec) * unitSec;
    const firstOpen = await this.#number(
      `SELECT min(rowid) FROM ${this.#files.source(hot, source).sql}
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

  async #mark(hot: StoreFile, kind: DerivedKind, target: string): Promise<number> {
    return (await this.#number(`SELECT ${markSql(this.#files, kind, hot, target)}`)) ?? 0;
  }

  async #rows(hot: StoreFile, source: DerivedTable["source"]): Promise<number> {
    return (await this.#number(`SELECT max(rowid) + 1 FROM ${this.#files.source(hot, source).sql}`)) ?? 0;
  }

  async #number(sql: string): Promise<number | null> {
    const [value] = (await this.#connection.runAndReadAll(sql)).getRowsJS()[0] ?? [];
    return value === null || value === undefined ? null : Number(value);
  }
}
