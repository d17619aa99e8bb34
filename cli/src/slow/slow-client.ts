import type { RecentReport } from "@apm-daemon/protocol";
import { askDaemon, type Distrust } from "../status/status-client.ts";

export interface SlowQuery {
  minutes: number;
  app: string | undefined;
}

/** An hour of a busy host takes a moment to add up. */
const WITHIN_MS = 15_000;

/** What took the time in the last minutes. Throws NOTHING_LISTENING or NO_ANSWER. */
export async function fetchRecent(
  sockets: readonly string[],
  distrust: Distrust,
  { minutes, app }: SlowQuery,
): Promise<RecentReport> {
  const path = `/recent?minutes=${minutes}${app === undefined ? "" : `&app=${encodeURIComponent(app)}`}`;
  return await askDaemon(sockets, distrust, { path, withinMs: WITHIN_MS }, ({ status, text }) => {
    if (status === 404) throw new Error("it is too old to be asked for this; restart it with this release");
    const body: unknown = JSON.parse(text);
    if (status !== 200) throw new Error(reasonOf(body) ?? `status ${status} for /recent`);
    if (!isReport(body)) throw new Error("it says nothing of actions and traces");
    return body;
  });
}

function reasonOf(body: unknown): string | null {
  const { error } = (body ?? {}) as { error?: { message?: unknown } };
  return typeof error?.message === "string" ? error.message : null;
}

function isReport(body: unknown): body is RecentReport {
  const { actions, calls, slowStatements, traces } = (body ?? {}) as Partial<
    Record<keyof RecentReport, unknown>
  >;
  return [actions, calls, slowStatements, traces].every(Array.isArray);
}
