import type { AppRow, HostRow } from "../../data/answers.ts";

/** Lowest Apdex first, then highest error rate, then slowest; apps without requests come last. */
export function worstAppsFirst(apps: readonly AppRow[]): AppRow[] {
  const slowness = (row: AppRow): number => row.responseTimeMs?.avg ?? 0;
  return [...apps].sort(
    (a, b) =>
      (a.apdex ?? 2) - (b.apdex ?? 2) ||
      (b.errorRate ?? 0) - (a.errorRate ?? 0) ||
      slowness(b) - slowness(a) ||
      a.app.localeCompare(b.app),
  );
}

/** Highest CPU share first, then fullest memory; hosts without numbers come last. */
export function busiestHostsFirst(hosts: readonly HostRow[]): HostRow[] {
  return [...hosts].sort(
    (a, b) =>
      (b.cpuRatio ?? -1) - (a.cpuRatio ?? -1) ||
      (b.memUsedRatio ?? -1) - (a.memUsedRatio ?? -1) ||
      a.host.localeCompare(b.host),
  );
}
