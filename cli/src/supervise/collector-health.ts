import { setTimeout as delay } from "node:timers/promises";

/** Why a collector is not healthy, in its own words from `/healthz`, as soon as it answers; "" when it is. Never rejects. */
export async function unhealthyReason(url: string, timeoutMs: number): Promise<string> {
  const deadlineMonoMs = performance.now() + timeoutMs;
  while (performance.now() < deadlineMonoMs) {
    try {
      const answer = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(2_000) });
      const body = (await answer.json()) as { reason?: unknown } | null;
      if (answer.ok) return "";
      return typeof body?.reason === "string" ? body.reason : `it answers with status ${answer.status}`;
    } catch {
      await delay(100);
    }
  }
  return `it does not answer at ${url}/healthz; look at its log`;
}
