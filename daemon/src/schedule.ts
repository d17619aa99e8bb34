import { Cron } from "croner";
import type { Logger } from "pino";
import type { StopStack } from "./stop-stack.ts";

export interface ScheduledTask {
  /** For the log. */
  name: string;
  /** A cron expression of five fields, validated with the configuration. */
  expression: string;
  run: () => void | Promise<void>;
}

/** Whether it is a cron expression of minute, hour, day of month, month and day of week. */
export function isCronExpression(text: string): boolean {
  try {
    return new Cron(text, { mode: "5-part", paused: true }).getPattern() === text;
  } catch {
    return false;
  }
}

/** Runs tasks when their expressions say, in the host's time zone, until the stop; one that fails is logged and comes again. */
export function runOnSchedule(tasks: readonly ScheduledTask[], log: Logger, stops: StopStack): void {
  for (const { name, expression, run } of tasks) {
    const job = new Cron(expression, { mode: "5-part", unref: true }, async () => {
      try {
        await run();
      } catch (error) {
        log.error({ err: error, task: name }, `the scheduled ${name} failed; it is tried again when due`);
      }
    });
    stops.push(() => job.stop());
  }
}
