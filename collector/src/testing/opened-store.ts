import { DiskSpace } from "../store/disk-space.ts";
import { DuckDbStore } from "../store/duckdb/duckdb-store.ts";
import type { Retention } from "../store/retention.ts";
import { temporaryFolder } from "./running-collector.ts";

/** So long that nothing goes while a test lasts, unless it says otherwise. */
const LONG: Retention = {
  days: 60,
  minutesDays: 300,
  hoursDays: 3_000,
  tracesDays: 300,
  sampledTracesDays: 300,
  recordsDays: 300,
};

/** A store alone, with a clock that stands still until it is set. */
export class OpenedStore {
  readonly stateDir: string;
  readonly warnings: string[] = [];
  nowMs: number;
  #store: DuckDbStore | null = null;
  readonly #retention: Retention;

  private constructor(stateDir: string, nowMs: number, retention: Partial<Retention>) {
    this.stateDir = stateDir;
    this.nowMs = nowMs;
    this.#retention = { ...LONG, ...retention };
  }

  static async open(
    nowMs: number,
    retention: Partial<Retention> = {},
    stateDir: string = temporaryFolder(),
  ): Promise<OpenedStore> {
    const opened = new OpenedStore(stateDir, nowMs, retention);
    await opened.#open();
    return opened;
  }

  get store(): DuckDbStore {
    if (!this.#store) throw new Error("the store is closed");
    return this.#store;
  }

  async reopen(): Promise<void> {
    await this.close();
    await this.#open();
  }

  async close(): Promise<void> {
    await this.#store?.close();
    this.#store = null;
  }

  async #open(): Promise<void> {
    const clock = (): number => this.nowMs;
    this.#store = await DuckDbStore.open({
      stateDir: this.stateDir,
      memoryLimitMb: 256,
      threads: 2,
      queryTimeoutMs: 30_000,
      queriesWaiting: 100,
      retention: this.#retention,
      maxPending: 400,
      maxPendingBytes: 1e9,
      diskSpace: new DiskSpace({ folder: this.stateDir, minFreeBytes: 0, minFreeRatio: 0, clock }),
      clock,
      warn: (sentence) => this.warnings.push(sentence),
    });
  }
}
