import type { BatchIdentity } from "@apm-daemon/protocol";
import { BatchIndex, type BatchRange } from "../batch-index.ts";
import type { ReceivedBatch } from "../batch-rows.ts";
import type { DiskSpace } from "../disk-space.ts";
import { GroupCommit } from "../group-commit.ts";
import { inOrder } from "../retention.ts";
import type {
  Kept,
  MaintenanceJob,
  MaintenanceReport,
  Store,
  StoredTracePart,
  StoreSize,
  TimeRange,
} from "../store.ts";
import { DuckDbAppQueries } from "./app-queries.ts";
import { DuckDbCounterQueries } from "./counter-queries.ts";
import type { DatabaseOptions, DatabaseSize } from "./database.ts";
import { DatabaseClient } from "./database-client.ts";
import { DuckDbErrorQueries } from "./error-queries.ts";
import { DuckDbEventQueries } from "./event-queries.ts";
import { DuckDbHostQueries } from "./host-queries.ts";
import { DuckDbLedgerQueries } from "./ledger-queries.ts";
import { DuckDbOperationQueries } from "./operation-queries.ts";
import { DuckDbRequestQueries } from "./request-queries.ts";
import { DuckDbSelectionQueries } from "./selection-queries.ts";
import { DuckDbSlowStatementQueries } from "./slow-statement-queries.ts";
import { Tiers } from "./tier.ts";
import { DuckDbTraceQueries } from "./trace-queries.ts";

const COMMIT_INTERVAL_MS = 250;
const GROUP_BATCHES = 20;
/** Probes that come faster share one answer. */
const HEALTH_FRESH_MS = 1_000;

export interface DuckDbStoreOptions extends DatabaseOptions {
  maxPending: number;
  maxPendingBytes: number;
  diskSpace: DiskSpace;
  clock: () => number;
  warn: (sentence: string) => void;
}

/** The embedded store. Commits in groups; knows in memory which batches it has, so that replays cost nothing. */
export class DuckDbStore implements Store {
  readonly hosts: DuckDbHostQueries;
  readonly apps: DuckDbAppQueries;
  readonly requests: DuckDbRequestQueries;
  readonly operations: DuckDbOperationQueries;
  readonly errors: DuckDbErrorQueries;
  readonly counters: DuckDbCounterQueries;
  readonly slowStatements: DuckDbSlowStatementQueries;
  readonly ledger: DuckDbLedgerQueries;
  readonly events: DuckDbEventQueries;
  readonly traces: DuckDbTraceQueries;
  readonly selections: DuckDbSelectionQueries;
  readonly #options: DuckDbStoreOptions;
  readonly #client: DatabaseClient;
  readonly #group: GroupCommit;
  readonly #tiers: Tiers;
  readonly #maintaining: Map<MaintenanceJob, Promise<MaintenanceReport>> = new Map();
  /** Batches on their way to a commit: a second copy waits for the first. */
  readonly #inFlight: Map<string, Promise<void>> = new Map();
  #committed: BatchIndex = new BatchIndex();
  #health: { checkedMs: number; outcome: Promise<void> } | null = null;

  private constructor(options: DuckDbStoreOptions) {
    this.#options = options;
    const { stateDir, memoryLimitMb, threads, queryTimeoutMs, queriesWaiting } = options;
    const retention = inOrder(options.retention);
    this.#client = new DatabaseClient(
      { stateDir, memoryLimitMb, threads, queryTimeoutMs, queriesWaiting, retention },
      {
        warn: options.warn,
        reopened: (ranges) => {
          this.#committed = new BatchIndex(ranges);
        },
      },
    );
    this.#group = new GroupCommit({
      commit: (batches) => this.#commit(batches),
      intervalMs: COMMIT_INTERVAL_MS,
      maxGroup: GROUP_BATCHES,
      maxPending: options.maxPending,
      maxPendingBytes: options.maxPendingBytes,
    });
    const { query } = this.#client;
    const tiers = new Tiers(retention, options.clock);
    this.#tiers = tiers;
    this.hosts = new DuckDbHostQueries(query, tiers);
    this.apps = new DuckDbAppQueries(query, tiers);
    this.requests = new DuckDbRequestQueries(query, tiers);
    this.operations = new DuckDbOperationQueries(query, tiers);
    this.errors = new DuckDbErrorQueries(query);
    this.counters = new DuckDbCounterQueries(query, tiers);
    this.slowStatements = new DuckDbSlowStatementQueries(query);
    this.ledger = new DuckDbLedgerQueries(query, tiers);
    this.events = new DuckDbEventQueries(query);
    this.traces = new DuckDbTraceQueries(query);
    this.selections = new DuckDbSelectionQueries(query, tiers, options.clock);
  }

  static async open(options: DuckDbStoreOptions): Promise<DuckDbStore> {
    const store = new DuckDbStore(options);
    try {
      const ranges = await store.#client.call<BatchRange[]>({ method: "open", nowMs: options.clock() });
      store.#committed = new BatchIndex(ranges);
      return store;
    } catch (error) {
      await store.#client.close();
      throw error;
    }
  }

  isCommitted(identity: BatchIdentity): boolean {
    return this.#committed.has(identity);
  }

  lastNumber(stream: string): number {
    return this.#committed.last(stream);
  }

  async write(received: ReceivedBatch): Promise<void> {
    const { header } = received.batch;
    if (this.#committed.has(header)) return;
    const key = `${header.stream}/${header.number}`;
    const written = this.#inFlight.get(key) ?? this.#startWrite(key, received);
    await written;
  }

  async addTraceParts(parts: readonly StoredTracePart[]): Promise<void> {
    await this.#options.diskSpace.require();
    await this.#client.call({ method: "addTraceParts", parts, nowMs: this.#options.clock() });
  }

  checkHealth(): Promise<void> {
    const nowMs = this.#options.clock();
    if (!this.#health || Math.abs(nowMs - this.#health.checkedMs) > HEALTH_FRESH_MS)
      this.#health = { checkedMs: nowMs, outcome: this.#checkHealthNow(nowMs) };
    return this.#health.outcome;
  }

  maintain(job: MaintenanceJob): Promise<MaintenanceReport> {
    const running = this.#maintaining.get(job);
    if (running) return running;
    const started = this.#maintain(job).finally(() => this.#maintaining.delete(job));
    this.#maintaining.set(job, started);
    return started;
  }

  resolutionSec(range: TimeRange): number {
    return this.#tiers.resolutionSec(range);
  }

  keptFromSec(kept: Kept): number {
    return this.#tiers.keptFromSec(kept);
  }

  async size(): Promise<StoreSize> {
    return { engine: "duckdb", ...(await this.#client.call<DatabaseSize>({ method: "size" })) };
  }

  async close(): Promise<void> {
    await this.#group.drain();
    await this.#client.close();
  }

  async #maintain(job: MaintenanceJob): Promise<MaintenanceReport> {
    // Sums can wait; what gives space back must not.
    if (job !== "retention") await this.#options.diskSpace.require();
    return await this.#client.call({ method: "maintain", job, nowMs: this.#options.clock() });
  }

  #startWrite(key: string, received: ReceivedBatch): Promise<void> {
    const written = this.#options.diskSpace
      .require()
      .then(() => this.#group.add(received))
      .finally(() => this.#inFlight.delete(key));
    this.#inFlight.set(key, written);
    return written;
  }

  async #commit(batches: readonly ReceivedBatch[]): Promise<void> {
    // A store that was opened again may have a batch whose commit seemed to fail.
    const missing = batches.filter(({ batch }) => !this.#committed.has(batch.header));
    if (missing.length === 0) return;
    await this.#client.call({ method: "write", batches: missing, nowMs: this.#options.clock() });
    for (const received of batches) {
      this.#committed.add(received.batch.header);
      this.apps.noteStored(received);
    }
  }

  async #checkHealthNow(nowMs: number): Promise<void> {
    await this.#options.diskSpace.require();
    await this.#client.call({ method: "checkHealth", nowMs });
  }
}
