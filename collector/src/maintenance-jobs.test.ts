import assert from "node:assert/strict";
import { test } from "node:test";
import { pino } from "pino";
import { MaintenanceJobs } from "./maintenance-jobs.ts";
import type { MaintenanceJob, MaintenanceReport } from "./store/store.ts";
import { StoreError } from "./store/store-error.ts";

test("a job that fails is told in the log and the status, and the others do theirs", async () => {
  const lines: { level: number; job: string; msg: string }[] = [];
  const log = pino({ level: "debug" }, { write: (line) => void lines.push(JSON.parse(line)) });
  const ran: MaintenanceJob[] = [];
  const maintain = async (job: MaintenanceJob): Promise<MaintenanceReport> => {
    ran.push(job);
    if (job === "hours") throw new StoreError("UNAVAILABLE", "the disk is gone", 1);
    return { rows: 5, removedFiles: job === "retention" ? 1 : 0 };
  };
  const jobs = new MaintenanceJobs({ store: { maintain }, clock: () => 1_000, log });
  jobs.start();
  while (lines.length < 4) await new Promise(setImmediate);
  jobs.stop();
  assert.deepEqual(ran, ["minutes", "hours", "days", "retention"]);
  assert.deepEqual(
    lines.map(({ level, job }) => [level, job]),
    [
      [20, "minutes"],
      [50, "hours"],
      [30, "days"],
      [30, "retention"],
    ],
  );
  const [minutes, hours, , retention] = jobs.status();
  assert.deepEqual([minutes?.rows, minutes?.error, minutes?.failures], [5, null, 0]);
  assert.deepEqual([hours?.error, hours?.failures, hours?.runs], ["the disk is gone", 1, 1]);
  assert.deepEqual([retention?.removedFiles, retention?.endedUnixMs], [1, 1_000]);
});
