import { setTimeout as sleep } from "node:timers/promises";
import { recentWarnings } from "./program.ts";

const POLL_MS = 100;

/**
 * Repeats `check` until it no longer throws and answers what it answered.
 * When `deadlineMs` has passed it throws, with the last failure and what the programs warned of in the message, and the failure as `cause`.
 */
export async function eventually<T>(
  what: string,
  deadlineMs: number,
  check: () => Promise<T> | T,
): Promise<T> {
  const giveUpAt = performance.now() + deadlineMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() >= giveUpAt) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new Error(`after ${deadlineMs / 1000} s still not: ${what}\n${reason}\n${recentWarnings()}`, {
          cause: error,
        });
      }
    }
    await sleep(POLL_MS);
  }
}
