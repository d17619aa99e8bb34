import { schedule } from "node-cron";
import type { Logger } from "pino";
import type { StopStack } from "./stop-stack.ts";

export interface ScheduledTask {
  /** For the log. */
  name: string;
  /** A cron expression of five fields, validated with the configuration. */
  expression: string;
  run: () => void | Promise<void>;
}

/** Runs tasks when their expressions say, in the host's time zone, until the stop; one that fails is logged and comes again. */
export function runOnSchedule(tasks: readonly ScheduledTask[], log: Logger, stops: StopStack): void {
  for (const { name, expression, run } of tasks) {
    const job = schedule(expression, async () => {
      try {
        await run();
      } catch (error) {
        log.error({ err: error, task: name }, `the scheduled ${name} failed; it is tried again when due`);
      }
    });
    stops.push(() => job.stop());
  }
}
