import type { TopReport } from "@apm-daemon/protocol";
import { askDaemon, type Distrust } from "../status/status-client.ts";

const WITHIN_MS = 3_000;

/** The host, its apps and processes now. Throws NOTHING_LISTENING or NO_ANSWER. */
export async function fetchTop(sockets: readonly string[], distrust: Distrust): Promise<TopReport> {
  return await askDaemon(sockets, distrust, { path: "/top", withinMs: WITHIN_MS }, ({ status, text }) => {
    if (status === 404) throw new Error("it is too old to be asked for this; restart it with this release");
    if (status !== 200) throw new Error(`status ${status} for /top`);
    const body: unknown = JSON.parse(text);
    if (!isReport(body)) throw new Error("it says nothing of apps and processes");
    return body;
  });
}

function isReport(body: unknown): body is TopReport {
  const { apps, processes, hostSecond } = (body ?? {}) as Partial<Record<keyof TopReport, unknown>>;
  return (
    Array.isArray(apps) && Array.isArray(processes) && typeof hostSecond === "object" && hostSecond !== null
  );
}
