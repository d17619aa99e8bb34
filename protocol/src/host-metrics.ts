/** One number that the daemon samples of its host each second. The table is the truth for store columns, API and docs. */
export interface HostMetric {
  readonly name: string;
  readonly unit: "ratio" | "bytes" | "bytes/s" | "1/s" | "1" | "ms";
  readonly sentence: string;
  /** What stands for several seconds: their mean, their sum where it counts events, their highest where it is a peak already. */
  readonly combined: "mean" | "sum" | "max";
}

function metric(
  name: string,
  unit: HostMetric["unit"],
  sentence: string,
  combined: HostMetric["combined"] = "mean",
): HostMetric {
  return { name, unit, sentence, combined };
}

/** A value is null where the host does not have it (e.g. PSI without kernel support): absent is never 0. */
export const HOST_METRICS: readonly HostMetric[] = [
  metric("cpuUserRatio", "ratio", "CPU time in user mode, share of all cores (nice is separate)."),
  metric("cpuSystemRatio", "ratio", "CPU time in kernel mode."),
  metric("cpuNiceRatio", "ratio", "CPU time of niced user processes."),
  metric("cpuIowaitRatio", "ratio", "CPU idle while a disk request was outstanding."),
  metric("cpuIrqRatio", "ratio", "CPU time in hardware interrupts."),
  metric("cpuSoftirqRatio", "ratio", "CPU time in soft interrupts."),
  metric("cpuStealRatio", "ratio", "CPU time taken by the hypervisor for other guests."),
  metric("cpuIdleRatio", "ratio", "CPU idle."),
  metric("load1", "1", "Load average over 1 minute."),
  metric("load5", "1", "Load average over 5 minutes."),
  metric("load15", "1", "Load average over 15 minutes."),
  metric("procsRunnable", "1", "Tasks runnable now."),
  metric("procsBlocked", "1", "Tasks blocked on I/O now."),
  metric("processCount", "1", "Processes."),
  metric("contextSwitchesPerSecond", "1/s", "Context switches."),
  metric("forksPerSecond", "1/s", "Processes created."),
  metric("memTotalBytes", "bytes", "Memory of the host."),
  metric("memAvailableBytes", "bytes", "Memory available without swapping (MemAvailable)."),
  metric("memUsedBytes", "bytes", "Total minus available."),
  metric("memBuffersBytes", "bytes", "Block device buffers."),
  metric("memCachedBytes", "bytes", "Page cache and reclaimable slab."),
  metric("memDirtyBytes", "bytes", "Pages waiting to be written back."),
  metric("swapTotalBytes", "bytes", "Swap space."),
  metric("swapUsedBytes", "bytes", "Swap space in use."),
  metric("swapInBytesPerSecond", "bytes/s", "Read from swap."),
  metric("swapOutBytesPerSecond", "bytes/s", "Written to swap."),
  metric("oomKills", "1", "Processes killed for lack of memory in this second.", "sum"),
  metric("diskReadBytesPerSecond", "bytes/s", "Read from all whole disks."),
  metric("diskWriteBytesPerSecond", "bytes/s", "Written to all whole disks."),
  metric("diskReadsPerSecond", "1/s", "Reads completed by all whole disks."),
  metric("diskWritesPerSecond", "1/s", "Writes completed by all whole disks."),
  metric("diskBusyRatio", "ratio", "Busy share of the busiest disk."),
  metric("diskAwaitMs", "ms", "Average wait of a disk request, all whole disks."),
  metric("netReceiveBytesPerSecond", "bytes/s", "Received by all interfaces but loopback."),
  metric("netTransmitBytesPerSecond", "bytes/s", "Sent by all interfaces but loopback."),
  metric("netReceivePacketsPerSecond", "1/s", "Packets received."),
  metric("netTransmitPacketsPerSecond", "1/s", "Packets sent."),
  metric("netErrorsPerSecond", "1/s", "Receive and transmit errors."),
  metric("netDropsPerSecond", "1/s", "Receive and transmit drops."),
  metric("tcpEstablished", "1", "TCP connections established now."),
  metric("tcpRetransmitsPerSecond", "1/s", "TCP segments retransmitted."),
  metric("tcpListenOverflowsPerSecond", "1/s", "Connections dropped because a listen queue was full."),
  metric("psiCpuSomeRatio", "ratio", "Share of the second in which some task waited for a CPU (PSI)."),
  metric("psiMemorySomeRatio", "ratio", "Share in which some task waited for memory (PSI)."),
  metric("psiMemoryFullRatio", "ratio", "Share in which all tasks waited for memory (PSI)."),
  metric("psiIoSomeRatio", "ratio", "Share in which some task waited for I/O (PSI)."),
  metric("psiIoFullRatio", "ratio", "Share in which all tasks waited for I/O (PSI)."),
  metric("daemonCpuRatio", "ratio", "CPU time used by the daemon itself, 1 = one whole core."),
  metric("daemonRssBytes", "bytes", "Resident memory of the daemon itself."),
  metric(
    "daemonEventLoopDelayP99Ms",
    "ms",
    "99th percentile of the delay of the daemon's own event loop.",
    "max",
  ),
];

/** One number sampled of a monitored process each second; runtime ones come from the agent's RUNTIME frames. */
export const PROCESS_METRICS: readonly HostMetric[] = [
  metric("cpuRatio", "ratio", "CPU time used, 1 = one whole core."),
  metric("rssBytes", "bytes", "Resident memory."),
  metric("threads", "1", "Threads."),
  metric("openFds", "1", "Open file descriptors, where readable."),
  metric(
    "eventLoopDelayP99Ms",
    "ms",
    "99th percentile of the event loop's delay in the last interval.",
    "max",
  ),
  metric("eventLoopUtilizationRatio", "ratio", "Share of time in which the event loop was busy."),
  metric(
    "gcPauseMs",
    "ms",
    "Garbage-collection pauses in the last interval, summed; null in seconds that were not watched (a small heap and an idle loop).",
    "sum",
  ),
  metric("heapUsedBytes", "bytes", "V8 heap in use."),
  metric("heapTotalBytes", "bytes", "V8 heap reserved."),
  metric(
    "cgroupThrottledRatio",
    "ratio",
    "Share of the second in which its control group, or one above, had used up its CPU quota.",
  ),
  metric("cgroupCpuLimitCores", "1", "CPU quota of its control group or of one above, the lowest, in cores."),
  metric("cgroupCpuUsageRatio", "ratio", "CPU time used by its control group, 1 = one whole core."),
  metric("cgroupMemoryUsedBytes", "bytes", "Memory of its control group, page cache included."),
  metric("cgroupMemoryLimitBytes", "bytes", "Memory limit of its control group or of one above, the lowest."),
  metric(
    "treeCpuRatio",
    "ratio",
    "CPU time used by the processes that it started and those below them, 1 = one whole core; instances of apps are left out.",
  ),
  metric("treeRssBytes", "bytes", "Resident memory of these; what they share counts several times."),
  metric("treeProcesses", "1", "How many these are; null where it is alone."),
  metric("contextSwitchesPerSecond", "1/s", "Context switches of its main thread."),
  metric("ioReadBytesPerSecond", "bytes/s", "Read from disks, where the kernel lets the daemon see it."),
  metric("ioWriteBytesPerSecond", "bytes/s", "Written to disks, when it was written to the page cache."),
];

/** Samples of consecutive or sparse seconds, column by column: `columns[name][i]` belongs to `tsSec[i]`. */
export interface SecondsTable {
  /** Unix seconds, ascending. */
  tsSec: number[];
  columns: Record<string, (number | null)[]>;
}
