import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** How many random sequences a model test runs: so many usually, in proportion more when APM_MODEL_RUNS says so in the slow lane. */
export function modelRuns(usual: number): number {
  const wanted = Number(process.env["APM_MODEL_RUNS"] ?? 0);
  return wanted > 0 ? Math.max(1, Math.ceil((wanted * usual) / 300)) : usual;
}

/** A new folder for one sequence, in memory where the system has such: a model test syncs thousands of times. */
export function modelFolder(): string {
  return mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "apm-model-"));
}
