import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { Cleanup } from "./cleanup.ts";
import { type CrashOutcome, runCrashScript } from "./crash-script.ts";
import { type SyscallPoint, syscallPoints } from "./syscall-points.ts";
import { type Collector, createKeyFile, StateDir, startCollector } from "./system.ts";

export interface SyscallKillsOptions {
  /** Which of the recorded points are tried. */
  choose: (points: readonly SyscallPoint[]) => readonly SyscallPoint[];
  /** Scripts at once: most of each is waiting for a seal. */
  concurrency: number;
  onPoint?: (sentence: string) => void;
}

export interface SyscallKillsReport {
  /** Calls that the recorded run made on the journal and the outbox. */
  pointsRecorded: number;
  pointsTried: number;
  /** Tried, and the daemon made fewer calls of that kind this time: a seal more or less. */
  pointsNotReached: number;
  kills: number;
  frames: number;
  lost: number;
  doubled: number;
  /** A sentence for each point where something went wrong. */
  failures: string[];
  recoverMs: number[];
}

/** Records the daemon's disk calls in one scripted life, then kills a new daemon at each chosen one and looks what is left. */
export async function runSyscallKills(
  cleanup: Cleanup,
  options: SyscallKillsOptions,
): Promise<SyscallKillsReport> {
  const collectorState = new StateDir(cleanup);
  const collector = await startCollector(cleanup, collectorState);
  const keyFile = await createKeyFile(collectorState, "crashed");
  const lives = new Lives(cleanup, collector, keyFile);
  const recorded = await lives.record();
  const chosen = options.choose(recorded);
  const report: SyscallKillsReport = {
    pointsRecorded: recorded.length,
    pointsTried: chosen.length,
    pointsNotReached: 0,
    kills: 0,
    frames: 0,
    lost: 0,
    doubled: 0,
    failures: [],
    recoverMs: [],
  };
  const waiting = chosen.entries();
  const worker = async (): Promise<void> => {
    for (const [i, point] of waiting) {
      const outcome = await lives.kill(i + 1, point);
      note(report, point, outcome);
      options.onPoint?.(`point ${i + 1} of ${chosen.length}: ${sentenceOf(point, outcome)}`);
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, worker));
  return report;
}

class Lives {
  readonly #cleanup: Cleanup;
  readonly #collector: Collector;
  readonly #keyFile: string;

  constructor(cleanup: Cleanup, collector: Collector, keyFile: string) {
    this.#cleanup = cleanup;
    this.#collector = collector;
    this.#keyFile = keyFile;
  }

  /** Paths in the result are relative to the state folder. */
  async record(): Promise<SyscallPoint[]> {
    const stateDir = new StateDir(this.#cleanup).path;
    const traceFile = join(stateDir, "strace.out");
    const outcome = await this.#run(0, stateDir, traceFile);
    if (outcome.problems.length > 0 || outcome.lost > 0 || outcome.doubled > 0)
      throw new Error(`the script fails without any kill: ${JSON.stringify(outcome)}`);
    const folders = [join(stateDir, "journal"), join(stateDir, "outbox")];
    return syscallPoints(readFileSync(traceFile, "utf8"), folders).map((point) => ({
      ...point,
      path: relative(stateDir, point.path),
    }));
  }

  async kill(index: number, point: SyscallPoint): Promise<CrashOutcome> {
    const stateDir = new StateDir(this.#cleanup).path;
    return this.#run(index, stateDir, join(stateDir, "strace.out"), {
      ...point,
      path: join(stateDir, point.path),
    });
  }

  #run(index: number, stateDir: string, traceFile: string, point?: SyscallPoint): Promise<CrashOutcome> {
    // Names of one length: the names of segments are positions, and those depend on it.
    const name = `crash-${String(index).padStart(4, "0")}`;
    const where = point === undefined ? {} : { point };
    return runCrashScript({
      collector: this.#collector,
      keyFile: this.#keyFile,
      name,
      stateDir,
      traceFile,
      ...where,
    });
  }
}

function note(report: SyscallKillsReport, point: SyscallPoint, outcome: CrashOutcome): void {
  if (outcome.wasKilled) report.kills++;
  else report.pointsNotReached++;
  report.frames += outcome.framesSent;
  report.lost += outcome.lost;
  report.doubled += outcome.doubled;
  if (outcome.recoverMs !== null) report.recoverMs.push(outcome.recoverMs);
  if (outcome.lost > 0 || outcome.doubled > 0 || outcome.problems.length > 0)
    report.failures.push(sentenceOf(point, outcome));
}

function sentenceOf({ syscall, path, nth }: SyscallPoint, outcome: CrashOutcome): string {
  const killed = outcome.wasKilled
    ? `killed at call ${nth} of ${syscall} on ${path}`
    : `call ${nth} of ${syscall} on ${path} did not come`;
  const counts = `${outcome.framesSent} frames sent, ${outcome.acknowledgedBefore} acknowledged before the kill, ${outcome.lost} lost, ${outcome.doubled} doubled`;
  return [`${killed}: ${counts}`, ...outcome.problems].join("; ");
}
