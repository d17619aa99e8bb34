import { signal } from "@preact/signals";
import type { ServerAnswer } from "../data/answers.ts";
import { getJson } from "../data/get-json.ts";
import { isLoginNeeded } from "../data/login-state.ts";
import { apiPaths } from "../data/paths.ts";
import { clockOffset } from "./clock-offset.ts";
import { clockOffsetMs, pageNowMs } from "./location.ts";

/** The collector as last heard; null before the first answer. */
export const server = signal<ServerAnswer | null>(null);
export const isServerReached = signal(true);
const EVERY_MS = 15_000;
/** Nobody notices smaller ones. */
const CLOCK_TOLERANCE_MS = 2000;

/** Asks the collector now and then how it is and what time it has; `now` on the pages means its time. */
export function startServerState(): void {
  const ask = async (): Promise<void> => {
    if (!document.hidden && !isLoginNeeded.value) await hear();
    window.setTimeout(() => void ask(), EVERY_MS);
  };
  void ask();
}

async function hear(): Promise<void> {
  try {
    const askedMs = Date.now();
    const answer = await getJson<ServerAnswer>(apiPaths.server(), AbortSignal.timeout(10_000));
    server.value = answer;
    isServerReached.value = true;
    followClock(clockOffset(answer.nowUnixMs, askedMs, Date.now()));
  } catch {
    isServerReached.value = false; // the sidebar says so and the next round asks again
  }
}

function followClock(offsetMs: number): void {
  const next = Math.abs(offsetMs) < CLOCK_TOLERANCE_MS ? 0 : offsetMs;
  if (Math.abs(next - clockOffsetMs.value) < CLOCK_TOLERANCE_MS) return;
  clockOffsetMs.value = next;
  pageNowMs.value = Date.now() + next;
}
