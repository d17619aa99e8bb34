import type { JobStatus } from "../maintenance-jobs.ts";
import type { Store, StoreSize } from "../store/store.ts";

export interface ServerAnswer {
  version: string;
  nowUnixMs: number;
  hosts: number;
  apps: number;
  store: StoreSize;
  uplinks: number;
  /** What became of the store's own work. */
  jobs: JobStatus[];
}

const DAY_SEC = 86_400;

/** The collector about itself; apps are those of the last day. */
export async function serverInfo(
  store: Store,
  self: { version: string; nowMs: number; uplinks: number; jobs: JobStatus[] },
): Promise<ServerAnswer> {
  const nowSec = Math.floor(self.nowMs / 1000);
  const [hosts, apps, size] = await Promise.all([
    store.hosts.all(),
    store.apps.seen({ fromSec: Math.max(0, nowSec - DAY_SEC), toSec: nowSec + DAY_SEC }),
    store.size(),
  ]);
  return {
    version: self.version,
    nowUnixMs: self.nowMs,
    hosts: hosts.length,
    apps: apps.length,
    store: size,
    uplinks: self.uplinks,
    jobs: self.jobs,
  };
}
