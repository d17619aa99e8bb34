import { MAX_TOP_APPS, type TopApp, type TopReport } from "@apm-daemon/protocol";
import type { HostWatch } from "../host-watch.ts";
import type { InstanceRegistry } from "../intake/instance-registry.ts";
import type { RecentWindows } from "./recent-requests.ts";
import type { StatusReporter } from "./status-reporter.ts";

export interface TopReportOptions {
  version: string;
  startUnixMs: number;
  clock: { unixMs(): number };
  instances: Pick<InstanceRegistry, "connected">;
  recent: RecentWindows;
  watch: HostWatch;
  reporter: Pick<StatusReporter, "health">;
}

/** Apps tell their event loop's delay once a second, which may come late. */
const DELAY_SECONDS = 5;

/** The host, its apps and its processes now. */
export function topReport(options: TopReportOptions): TopReport {
  const { version, startUnixMs, clock, watch, reporter } = options;
  const { processes, tsSec } = watch.host.busiestNow();
  const apps = topApps(options).sort((a, b) => b.requests - a.requests || a.app.localeCompare(b.app));
  const coverage = watch.host.processCoverage;
  return {
    version,
    startUnixMs,
    nowUnixMs: clock.unixMs(),
    host: watch.identity.name,
    cores: watch.identity.cores,
    ...reporter.health(),
    self: watch.self.read(),
    hostSecond: watch.host.newest(),
    apps: apps.slice(0, MAX_TOP_APPS),
    appsLeftOut: Math.max(0, apps.length - MAX_TOP_APPS),
    processes,
    processesTsSec: processes.length === 0 ? null : tsSec,
    ...(coverage === null
      ? {}
      : { processCount: coverage.processes, idleProcessesEverySec: coverage.idleEverySec }),
  };
}

function topApps({ instances, recent, watch, clock }: TopReportOptions): TopApp[] {
  const byApp = new Map<string, string[]>();
  for (const { app, instance } of instances.connected())
    byApp.set(app, [...(byApp.get(app) ?? []), instance]);
  return [...byApp].map(([app, keys]) => {
    const newest = keys.map((key) => watch.processes.newest(key));
    return {
      app,
      instances: keys.length,
      ...recent.of(app, clock.unixMs() / 1_000),
      cpuRatio: sumOf(newest.map((values) => values?.["cpuRatio"])),
      rssBytes: sumOf(newest.map((values) => values?.["rssBytes"])),
      eventLoopDelayP99Ms: worst(keys.map((key) => lastDelayMs(watch, key))),
    };
  });
}

function lastDelayMs({ processes }: HostWatch, key: string): number | null {
  const delays = processes.recent(key, DELAY_SECONDS)?.columns["eventLoopDelayP99Ms"] ?? [];
  return delays.findLast((delayMs) => delayMs !== null) ?? null;
}

/** Of what is known; null when nothing is. */
function sumOf(values: readonly (number | null | undefined)[]): number | null {
  return values.reduce<number | null>((sum, value) => (value == null ? sum : (sum ?? 0) + value), null);
}

function worst(values: readonly (number | null)[]): number | null {
  return values.reduce<number | null>(
    (max, value) => (value === null ? max : Math.max(max ?? 0, value)),
    null,
  );
}
