// What kernels of several ages show, in the form in which they show it: columns and lines came over the years.

import assert from "node:assert/strict";
import { test } from "node:test";
import { HostSampler } from "./host-sampler.ts";
import { ProcFixture } from "./proc-fixture.ts";

interface Kernel {
  release: string;
  /** Columns of /proc/diskstats after the name: discards came in 4.18, flushes in 5.5. */
  diskColumns: 15 | 17;
  hasPressure: boolean;
  /** The line "full" of cpu came in 5.13. */
  hasCpuFull: boolean;
  meminfo: string;
  vmstat: string;
  /** Where "ListenOverflows" stands among the columns of TcpExt. */
  tcpExt: string;
}

const KERNELS: Kernel[] = [
  {
    release: "4.19",
    diskColumns: 15,
    hasPressure: false,
    hasCpuFull: false,
    meminfo:
      "MemTotal: 4045000 kB\nMemFree: 1000 kB\nMemAvailable: 3045000 kB\nBuffers: 100 kB\nCached: 200 kB\nSwapCached: 0 kB\nActive: 9 kB\nDirty: 5 kB\nSlab: 30 kB\nSReclaimable: 20 kB\nSwapTotal: 1000 kB\nSwapFree: 600 kB\n",
    vmstat: "nr_free_pages 5\nnr_zone_inactive_anon 7\n",
    tcpExt: "SyncookiesSent SyncookiesRecv ListenOverflows ListenDrops",
  },
  {
    release: "5.10",
    diskColumns: 17,
    hasPressure: true,
    hasCpuFull: false,
    meminfo:
      "MemTotal:        4045000 kB\nMemFree: 1000 kB\nMemAvailable:    3045000 kB\nBuffers: 100 kB\nCached: 200 kB\nSwapTotal: 1000 kB\nSwapFree: 600 kB\nDirty: 5 kB\nKReclaimable: 33 kB\nSlab: 30 kB\nSReclaimable: 20 kB\nPercpu: 1 kB\n",
    vmstat: "nr_free_pages 5\nworkingset_nodes 0\n",
    tcpExt: "SyncookiesSent SyncookiesRecv PruneCalled ListenOverflows ListenDrops TCPWqueueTooBig",
  },
  {
    release: "6.1",
    diskColumns: 17,
    hasPressure: true,
    hasCpuFull: true,
    meminfo:
      "MemTotal: 4045000 kB\nMemFree: 1000 kB\nMemAvailable: 3045000 kB\nBuffers: 100 kB\nCached: 200 kB\nSwapTotal: 1000 kB\nSwapFree: 600 kB\nZswap: 0 kB\nZswapped: 0 kB\nDirty: 5 kB\nKReclaimable: 33 kB\nSReclaimable: 20 kB\nSecPageTables: 0 kB\n",
    vmstat: "nr_free_pages 5\nnr_throttled_written 0\n",
    tcpExt: "SyncookiesSent PAWSActive ListenOverflows ListenDrops TCPPLBRehash",
  },
  {
    release: "6.12",
    diskColumns: 17,
    hasPressure: true,
    hasCpuFull: true,
    meminfo:
      "MemTotal: 4045000 kB\nMemFree: 1000 kB\nMemAvailable: 3045000 kB\nBuffers: 100 kB\nCached: 200 kB\nSwapTotal: 1000 kB\nSwapFree: 600 kB\nDirty: 5 kB\nKReclaimable: 33 kB\nSReclaimable: 20 kB\nUnaccepted: 0 kB\nBalloon: 0 kB\n",
    vmstat: "nr_free_pages 5\nnr_memmap_boot_pages 0\n",
    tcpExt: "SyncookiesSent PAWSActive PAWSOldAck ListenOverflows ListenDrops TCPAOBad",
  },
];

function filesOf(kernel: Kernel, seconds: number): Record<string, string> {
  const more = Array.from({ length: kernel.diskColumns - 11 }, () => seconds).join(" ");
  const disk = (reads: number): string =>
    `${100 * reads} 0 ${800 * reads} ${50 * reads} ${10 * reads} 0 ${80 * reads} ${5 * reads} 0 ${250 * reads} ${55 * reads} ${more}`;
  const columns = kernel.tcpExt.split(" ");
  const counts = columns.map((name) => (name === "ListenOverflows" ? 3 * seconds : 9_000 * seconds));
  const line = (kind: string, us: number): string =>
    `${kind} avg10=0.00 avg60=0.00 avg300=0.00 total=${us * seconds}\n`;
  const files: Record<string, string> = {
    stat: `cpu  ${40 * seconds} 0 ${20 * seconds} ${120 * seconds} ${10 * seconds} 0 ${4 * seconds} ${6 * seconds} 0 0\ncpu0 ${40 * seconds} 0 1 2 3 4 5 6 0 0\nintr 1 2 3\nctxt ${500 * seconds}\nbtime 1700000000\nprocesses ${7 * seconds}\nprocs_running 2\nprocs_blocked 1\nsoftirq 1 2 3\n`,
    loadavg: `0.52 0.58 0.59 2/389 ${1_000 + seconds}\n`,
    meminfo: kernel.meminfo,
    vmstat: `${kernel.vmstat}pswpin ${2 * seconds}\npswpout ${3 * seconds}\noom_kill ${seconds}\nhtlb_buddy_alloc_success 0\n`,
    diskstats: `   7       0 loop0 9 0 9 9 9 0 9 9 0 9 9 ${more}\n 259       0 nvme0n1 ${disk(seconds)}\n 259       1 nvme0n1p1 ${disk(seconds)}\n`,
    "net/dev":
      "Inter-|   Receive                                                |  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n" +
      `    lo: 9 9 0 0 0 0 0 0 9 9 0 0 0 0 0 0\n  eth0: ${1_000 * seconds} ${10 * seconds} ${seconds} 0 0 0 0 0 ${2_000 * seconds} ${20 * seconds} 0 ${2 * seconds} 0 0 0 0\n`,
    "net/snmp": `Ip: Forwarding DefaultTTL\nIp: 1 64\nTcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors\nTcp: 1 200 120000 -1 1 1 1 1 12 1 1 ${4 * seconds} 0 1 0\n`,
    "net/netstat": `TcpExt: ${kernel.tcpExt}\nTcpExt: ${counts.join(" ")}\n`,
    uptime: "1000.0 900.0\n",
    mounts: "",
  };
  if (!kernel.hasPressure) return files;
  return {
    ...files,
    "pressure/cpu": line("some", 200_000) + (kernel.hasCpuFull ? line("full", 0) : ""),
    "pressure/memory": line("some", 100_000) + line("full", 50_000),
    "pressure/io": line("some", 300_000) + line("full", 250_000),
  };
}

for (const kernel of KERNELS) {
  test(`Linux ${kernel.release}: what it shows is read, what it does not is null, and nothing fails`, (t) => {
    const proc = new ProcFixture(t, filesOf(kernel, 1));
    const sampler = new HostSampler({ procRoot: proc.root });
    t.after(() => sampler.stop());
    sampler.tick(1, 1_000);
    for (const [path, text] of Object.entries(filesOf(kernel, 2))) proc.write(path, text);
    sampler.tick(2, 2_000);
    // The link count of a fixture's folder and the daemon's own numbers are no matter of the kernel.
    const values = Object.fromEntries(
      Object.entries(sampler.newest()).filter(
        ([name]) => name !== "processCount" && !name.startsWith("daemon"),
      ),
    );
    const psi = (ratio: number): number | null => (kernel.hasPressure ? ratio : null);
    assert.deepEqual(values, {
      cpuUserRatio: 0.2,
      cpuSystemRatio: 0.1,
      cpuNiceRatio: 0,
      cpuIowaitRatio: 0.05,
      cpuIrqRatio: 0,
      cpuSoftirqRatio: 0.02,
      cpuStealRatio: 0.03,
      cpuIdleRatio: 0.6,
      load1: 0.52,
      load5: 0.58,
      load15: 0.59,
      procsRunnable: 2,
      procsBlocked: 1,
      contextSwitchesPerSecond: 500,
      forksPerSecond: 7,
      memTotalBytes: 4_045_000 * 1_024,
      memAvailableBytes: 3_045_000 * 1_024,
      memUsedBytes: 1_000_000 * 1_024,
      memBuffersBytes: 100 * 1_024,
      memCachedBytes: 220 * 1_024,
      memDirtyBytes: 5 * 1_024,
      swapTotalBytes: 1_000 * 1_024,
      swapUsedBytes: 400 * 1_024,
      swapInBytesPerSecond: 2 * 4_096,
      swapOutBytesPerSecond: 3 * 4_096,
      oomKills: 1,
      diskReadBytesPerSecond: 800 * 512,
      diskWriteBytesPerSecond: 80 * 512,
      diskReadsPerSecond: 100,
      diskWritesPerSecond: 10,
      diskBusyRatio: 0.25,
      diskAwaitMs: 0.5,
      netReceiveBytesPerSecond: 1_000,
      netTransmitBytesPerSecond: 2_000,
      netReceivePacketsPerSecond: 10,
      netTransmitPacketsPerSecond: 20,
      netErrorsPerSecond: 1,
      netDropsPerSecond: 2,
      tcpEstablished: 12,
      tcpRetransmitsPerSecond: 4,
      tcpListenOverflowsPerSecond: 3,
      psiCpuSomeRatio: psi(0.2),
      psiMemorySomeRatio: psi(0.1),
      psiMemoryFullRatio: psi(0.05),
      psiIoSomeRatio: psi(0.3),
      psiIoFullRatio: psi(0.25),
    });
    assert.deepEqual(sampler.failing, []);
  });
}
