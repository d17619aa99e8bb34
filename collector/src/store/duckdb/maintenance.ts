import type { Retention } from "../retention.ts";
import { MADE_OF, MADE_OF_HOT } from "../rollups.ts";
import type { MaintenanceJob } from "../store.ts";
import type { FileSet } from "./file-set.ts";
import type { Roller } from "./roller.ts";
import { type FileKind, periodOf, type StoreFile, utcDay } from "./store-file.ts";

/** Done in steps of less than a second as a rule, between which batches are written. */
export interface MaintenanceTask {
  /** For messages. */
  about: string;
  step(): Promise<MaintenanceStep>;
}

export interface MaintenanceStep {
  isDone: boolean;
  /** Rows taken in. */
  rows?: number;
  /** Files removed. */
  removed?: number;
}

const DAY_MS = 86_400_000;

export interface MaintenanceOptions {
  files: FileSet;
  roller: Roller;
  /** Whether rows may still come to this hot file. */
  isWritten: (hot: StoreFile) => boolean;
}

/** What a job has to do now, in tasks of which one that fails harms no other. */
export function maintenanceTasks(
  job: MaintenanceJob,
  nowMs: number,
  retention: Retention,
  options: MaintenanceOptions,
): MaintenanceTask[] {
  if (job !== "retention") return rollUpTasks(job, nowMs, options);
  return [
    ...hotTasks(utcDay(nowMs - retention.days * DAY_MS), options),
    ...expiryTasks(nowMs, retention, options),
    ...thinningTasks(utcDay(nowMs - retention.tracesDays * DAY_MS), options),
  ];
}

function rollUpTasks(
  kind: "minutes" | "hours" | "days",
  nowMs: number,
  { files, roller }: MaintenanceOptions,
): MaintenanceTask[] {
  const sources = files.of(MADE_OF[kind]).filter((file) => !files.isTaken(file, kind));
  return sources.map((file) => ({
    about: `the ${kind} of ${file.period}`,
    step: async () => {
      const rows = await roller.step(file, kind, nowMs);
      if (rows > 0) return { isDone: false, rows };
      if (files.isComplete(file) && (await roller.hasAll(file, kind))) await files.setTaken(file, kind);
      return { isDone: true };
    },
  }));
}

/** Rows as they arrived go when everything that outlives them has been taken from them. */
function hotTasks(firstDay: string, { files, roller, isWritten }: MaintenanceOptions): MaintenanceTask[] {
  const expired = files.of("hot").filter((file) => file.period < firstDay && !isWritten(file));
  return expired.map((file) => ({
    about: `the rows that arrived on ${file.period}`,
    step: async () => {
      for (const kind of MADE_OF_HOT) {
        const rows = files.isTaken(file, kind) ? 0 : await roller.step(file, kind, null);
        if (rows > 0) return { isDone: false, rows };
        if (!files.isTaken(file, kind)) await files.setTaken(file, kind);
      }
      await files.drop(file);
      return { isDone: true, removed: 1 };
    },
  }));
}

function expiryTasks(nowMs: number, retention: Retention, { files }: MaintenanceOptions): MaintenanceTask[] {
  const keptDays: [FileKind, number][] = [
    ["minutes", retention.minutesDays],
    ["hours", retention.hoursDays],
    ["days", retention.hoursDays],
    ["records", retention.recordsDays],
    ["traces", retention.sampledTracesDays],
    ["sampled", retention.sampledTracesDays],
  ];
  return keptDays.flatMap(([kind, days]) => {
    const firstPeriod = periodOf(kind, utcDay(nowMs - days * DAY_MS));
    const expired = files.of(kind).filter(({ period }) => period < firstPeriod);
    return expired.map((file) => ({
      about: `the ${kind} of ${file.period}`,
      step: async () => {
        if (hasSource(files, file)) return { isDone: true };
        await files.drop(file);
        return { isDone: true, removed: 1 };
      },
    }));
  });
}

/** What is not kept longer goes with the files: a day's go together, since what is kept of one may be told by another. */
function thinningTasks(firstDay: string, { files, roller }: MaintenanceOptions): MaintenanceTask[] {
  const whole = files.of("traces").filter((file) => file.period < firstDay && !hasSource(files, file));
  return [...new Set(whole.map(({ period }) => period))].map((period) => ({
    about: `the traces of ${period}`,
    step: async () => {
      // Some of it, or all, may have gone by now.
      const ofDay = files.of("traces").filter((file) => file.period === period);
      for (const file of ofDay) if ((await roller.step(file, "sampled", null)) > 0) return { isDone: false };
      await files.drop(...ofDay);
      return { isDone: true, removed: ofDay.length };
    },
  }));
}

/** A file with the marks of another one must not go before that: all of its rows would be taken in again. */
function hasSource(files: FileSet, file: StoreFile): boolean {
  return file.kind !== "hot" && files.sourcesOf(file.kind, file.period).length > 0;
}
