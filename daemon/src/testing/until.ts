import { setTimeout as sleep } from "node:timers/promises";

/** Waits until a condition holds; rejects with `what` when it does not within the deadline. */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  deadlineMs = 20_000,
): Promise<void> {
  const giveUpAt = performance.now() + deadlineMs;
  while (!(await isSo())) {
    if (performance.now() > giveUpAt) throw new Error(`after ${deadlineMs} ms still not: ${what}`);
    await sleep(5);
  }
}
