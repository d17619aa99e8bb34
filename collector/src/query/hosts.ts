import type { HostIdentity } from "@apm-daemon/protocol";
import type { MetricValues, Store } from "../store/store.ts";
import { answeredRange, type QueryRange } from "./time-range.ts";

export interface HostsAnswer {
  from: number;
  to: number;
  hosts: HostAnswer[];
}

export interface HostAnswer {
  host: string;
  id: string;
  os: string;
  kernel: string;
  arch: string;
  cpuModel: string;
  cores: number;
  memTotalBytes: number;
  virtualization: string;
  bootUnixMs: number;
  daemonVersion: string;
  /** Absent where the daemon does not say it. */
  timeZone?: string;
  lastSeenUnixMs: number;
  apps: string[];
  cpuRatio: number | null;
  memUsedRatio: number | null;
  load1: number | null;
  stealRatio: number | null;
  iowaitRatio: number | null;
  /** Null without PSI, as the next two. */
  psiCpuRatio: number | null;
  psiMemoryRatio: number | null;
  psiIoRatio: number | null;
  /** The latest event loop among its apps' processes, 99th percentile. */
  eventLoopDelayMs: number | null;
}

const SHOWN_METRICS = [
  "cpuIdleRatio",
  "memUsedBytes",
  "memTotalBytes",
  "load1",
  "cpuStealRatio",
  "cpuIowaitRatio",
  "psiCpuSomeRatio",
  "psiMemorySomeRatio",
  "psiIoSomeRatio",
] as const;

/** All hosts of the store; their apps and newest values are those of the range. */
export async function hosts(store: Store, range: QueryRange): Promise<HostsAnswer> {
  const [stored, appsByHost, newest, delays] = await Promise.all([
    store.hosts.all(),
    store.hosts.appsByHost(range),
    store.hosts.newestValues(SHOWN_METRICS, range),
    store.hosts.newestLoopDelays(range),
  ]);
  return {
    ...answeredRange(range),
    hosts: stored.map(({ host, identity, lastSeenUnixMs }) => {
      const values = newest.find((entry) => entry.host === host)?.values ?? {};
      return {
        ...shownIdentity(host, JSON.parse(identity) as HostIdentity),
        lastSeenUnixMs,
        apps: appsByHost.filter((entry) => entry.host === host).map((entry) => entry.app),
        cpuRatio: subtract(1, values["cpuIdleRatio"]),
        memUsedRatio: memUsedRatio(values),
        load1: values["load1"] ?? null,
        stealRatio: values["cpuStealRatio"] ?? null,
        iowaitRatio: values["cpuIowaitRatio"] ?? null,
        psiCpuRatio: values["psiCpuSomeRatio"] ?? null,
        psiMemoryRatio: values["psiMemorySomeRatio"] ?? null,
        psiIoRatio: values["psiIoSomeRatio"] ?? null,
        eventLoopDelayMs: delays.find((entry) => entry.host === host)?.delayMs ?? null,
      };
    }),
  };
}

function shownIdentity(host: string, identity: HostIdentity) {
  const {
    id,
    os,
    kernel,
    arch,
    cpuModel,
    cores,
    memTotalBytes,
    virtualization,
    bootUnixMs,
    daemonVersion,
    timeZone,
  } = identity;
  return {
    host,
    id,
    os,
    kernel,
    arch,
    cpuModel,
    cores,
    memTotalBytes,
    virtualization,
    bootUnixMs,
    daemonVersion,
    ...(timeZone !== undefined && { timeZone }),
  };
}

function subtract(from: number, value: number | null | undefined): number | null {
  return value === null || value === undefined ? null : from - value;
}

function memUsedRatio(values: MetricValues): number | null {
  const used = values["memUsedBytes"];
  const total = values["memTotalBytes"];
  return used === null || used === undefined || !total ? null : used / total;
}
