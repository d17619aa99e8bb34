const FIRST_MS = 100;
const MAX_MS = 30_000;

/** Full jitter between 0.1 s and a cap that doubles with each failed attempt, at most 30 s. `random` gives 0..1. */
export function reconnectDelayMs(failures: number, random: () => number): number {
  const capMs = Math.min(MAX_MS, FIRST_MS * 2 ** Math.min(failures, 20));
  return FIRST_MS + random() * Math.max(0, capMs - FIRST_MS);
}
