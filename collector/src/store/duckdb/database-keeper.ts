import type { BatchRange } from "../batch-index.ts";
import type { ReceivedBatch } from "../batch-rows.ts";
import type { MaintenanceJob, MaintenanceReport, StoredTracePart } from "../store.ts";
import { StoreError } from "../store-error.ts";
import { Database, type DatabaseOptions, type DatabaseSize } from "./database.ts";
import type { SqlValues } from "./database-messages.ts";
import type { MaintenanceStep, MaintenanceTask } from "./maintenance.ts";
import type { PackedRows } from "./packed-rows.ts";
import type { QueryAsker } from "./query-gate.ts";

const REOPENED_RETRY_MS = 1_000;
const MAINTENANCE_RETRY_MS = 60_000;

export interface KeeperEvents {
  warn: (sentence: string) => void;
  reopened(committed: BatchRange[]): void;
}

/**
 * Keeps a database open: one that is not to be trusted any more is closed and opened again, at once or else by the next
 * write or health check. That call fails all the same, since what it wants to write may be in the files already.
 * Everything on the writing connection happens one after another.
 */
export class DatabaseKeeper {
  readonly #options: DatabaseOptions;
  readonly #events: KeeperEvents;
  #database: Database | null = null;
  #lane: Promise<unknown> = Promise.resolve();
  #isClosing = false;

  constructor(options: DatabaseOptions, events: KeeperEvents) {
    this.#options = options;
    this.#events = events;
  }

  /** Opens for the first time; resolves to the committed batches. */
  open(nowMs: number): Promise<BatchRange[]> {
    return this.#next(async () => {
      const { database, committed } = await Database.open(this.#options, nowMs, this.#events.warn);
      this.#database = database;
      return committed;
    });
  }

  write(batches: readonly ReceivedBatch[], nowMs: number): Promise<void> {
    return this.#withWriter(nowMs, (database) => database.write(batches, nowMs));
  }

  addTraceParts(parts: readonly StoredTracePart[], nowMs: number): Promise<void> {
    return this.#withWriter(nowMs, (database) => database.addTraceParts(parts, nowMs));
  }

  checkHealth(nowMs: number): Promise<void> {
    return this.#withWriter(nowMs, (database) => database.checkHealth(nowMs));
  }

  query(sql: string, values: SqlValues, asker?: QueryAsker): Promise<PackedRows> {
    if (!this.#database) throw new StoreError("UNAVAILABLE", "the store is being opened again", 2_000);
    return this.#database.query(sql, values, asker);
  }

  /** Runs what a job has to do; batches are written in between. Rejects at the end with what failed, if something did. */
  async maintain(job: MaintenanceJob, nowMs: number): Promise<MaintenanceReport> {
    const report: MaintenanceReport = { rows: 0, removedFiles: 0 };
    const problems: string[] = [];
    const database = this.#database;
    let tasks: MaintenanceTask[] = [];
    await this.#withWriter(nowMs, async (writer) => {
      tasks = await writer.maintenance(job, nowMs);
    });
    for (const task of tasks) {
      const isOther = (): boolean => this.#isClosing || this.#database !== database;
      try {
        while (!isOther()) {
          const step = await this.#step(nowMs, task, isOther);
          report.rows += step.rows ?? 0;
          report.removedFiles += step.removed ?? 0;
          if (step.isDone) break;
        }
      } catch (error) {
        if (this.#isClosing) break;
        problems.push(`${task.about}: ${(error as Error).message}`);
      }
    }
    if (problems.length > 0) throw new StoreError("UNAVAILABLE", problems.join("; "), MAINTENANCE_RETRY_MS);
    return report;
  }

  async size(): Promise<DatabaseSize> {
    if (!this.#database) throw new StoreError("UNAVAILABLE", "the store is being opened again", 2_000);
    return this.#database.size();
  }

  close(): Promise<void> {
    this.#isClosing = true;
    return this.#next(() => this.#drop());
  }

  async #step(nowMs: number, task: MaintenanceTask, isOther: () => boolean): Promise<MaintenanceStep> {
    let step: MaintenanceStep = { isDone: true };
    await this.#withWriter(nowMs, async () => {
      if (!isOther()) step = await task.step();
    });
    return step;
  }

  #withWriter(nowMs: number, run: (database: Database) => Promise<void>): Promise<void> {
    return this.#next(async () => {
      // A job's next step may come after the close: nothing must open the files behind it.
      if (this.#isClosing) throw new StoreError("UNAVAILABLE", "the store is being closed", 5_000);
      const database = this.#database ?? (await this.#openAgain(nowMs));
      try {
        await run(database);
      } catch (error) {
        if (!database.isTrusted) {
          this.#events.warn(`the store is closed, to be opened again: ${(error as Error).message}`);
          await this.#drop();
          await this.#openAgain(nowMs).catch((reason: Error) => this.#events.warn(reason.message));
        }
        throw error;
      }
    });
  }

  /** Fails even when it succeeds: the caller must first look at what is in the files. */
  async #openAgain(nowMs: number): Promise<never> {
    const { database, committed } = await Database.open(this.#options, nowMs, this.#events.warn);
    this.#database = database;
    this.#events.reopened(committed);
    throw new StoreError("UNAVAILABLE", "the store was opened again; try again now", REOPENED_RETRY_MS);
  }

  /** Closed for good before anything opens the files again: two at once would damage them. */
  async #drop(): Promise<void> {
    const database = this.#database;
    this.#database = null;
    for (const problem of (await database?.close()) ?? [])
      this.#events.warn(`a file of the store could not be tidied up when closing: ${problem.message}`);
  }

  #next<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#lane.then(run);
    this.#lane = result.catch(() => undefined);
    return result;
  }
}
