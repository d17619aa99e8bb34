import { Cron } from "croner";
import type { Logger } from "pino";
import { MAINTENANCE_JOBS, type MaintenanceJob, type MaintenanceReport, type Store } from "./store/store.ts";

/** Six fields, seconds first. A minute's rows are here half a minute after it, see roller.ts; the jobs come one by one. */
const SCHEDULES: Readonly<Record<MaintenanceJob, string>> = {
  minutes: "40 * * * * *",
  hours: "50 0 * * * *",
  days: "20 30 * * * *",
  retention: "15 5,15,25,35,45,55 * * * *",
};

/** What became of the last run of a job that ended. */
export interface JobStatus {
  job: MaintenanceJob;
  /** Null before the first run has ended, as the next one. */
  endedUnixMs: number | null;
  durationMs: number | null;
  rows: number;
  removedFiles: number;
  /** Null when it went well. */
  error: string | null;
  /** Since the start. */
  runs: number;
  failures: number;
}

export interface MaintenanceJobsOptions {
  store: Pick<Store, "maintain">;
  clock: () => number;
  log: Logger;
}

/** The store's own work, each job at its time and once at the start. One that fails says so, and comes again. */
export class MaintenanceJobs {
  readonly #options: MaintenanceJobsOptions;
  readonly #states: Map<MaintenanceJob, JobStatus> = new Map(
    MAINTENANCE_JOBS.map((job) => [job, notRun(job)]),
  );
  readonly #scheduled: Cron[] = [];
  readonly #running: Set<MaintenanceJob> = new Set();
  #isStopped = false;

  constructor(options: MaintenanceJobsOptions) {
    this.#options = options;
  }

  start(): void {
    for (const job of MAINTENANCE_JOBS)
      this.#scheduled.push(new Cron(SCHEDULES[job], { mode: "6-part", unref: true }, () => this.#run(job)));
    void this.#runAll();
  }

  stop(): void {
    this.#isStopped = true;
    for (const cron of this.#scheduled) cron.stop();
  }

  status(): JobStatus[] {
    return [...this.#states.values()];
  }

  async #runAll(): Promise<void> {
    for (const job of MAINTENANCE_JOBS) await this.#run(job);
  }

  async #run(job: MaintenanceJob): Promise<void> {
    if (this.#isStopped || this.#running.has(job)) return;
    this.#running.add(job);
    const { store, clock } = this.#options;
    const startedMs = performance.now();
    const outcome = await store.maintain(job).catch((error: unknown) => error as Error);
    this.#running.delete(job);
    // A store that is being closed answers no job.
    if (this.#isStopped) return;
    const durationMs = Math.round(performance.now() - startedMs);
    this.#note(job, outcome, { endedUnixMs: clock(), durationMs });
  }

  #note(
    job: MaintenanceJob,
    outcome: MaintenanceReport | Error,
    when: { endedUnixMs: number; durationMs: number },
  ): void {
    const { log } = this.#options;
    const before = this.#states.get(job) ?? notRun(job);
    const isFailed = outcome instanceof Error;
    const did = isFailed ? { rows: 0, removedFiles: 0 } : outcome;
    this.#states.set(job, {
      job,
      ...when,
      ...did,
      error: isFailed ? outcome.message : null,
      runs: before.runs + 1,
      failures: before.failures + (isFailed ? 1 : 0),
    });
    const fields = { job, durationMs: when.durationMs, ...did };
    if (isFailed)
      log.error(
        { ...fields, err: outcome },
        `the store's job "${job}" failed; its rows stay where they are and it is tried again when due`,
      );
    // The minutes come every minute.
    else log[job === "minutes" ? "debug" : "info"](fields, `the store's job "${job}" is done`);
  }
}

function notRun(job: MaintenanceJob): JobStatus {
  return {
    job,
    endedUnixMs: null,
    durationMs: null,
    rows: 0,
    removedFiles: 0,
    error: null,
    runs: 0,
    failures: 0,
  };
}
