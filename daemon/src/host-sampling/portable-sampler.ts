import type { FailingSampler, HostSnapshot } from "@apm-daemon/protocol";
import type { Systeminformation } from "systeminformation";
import type { HostSource } from "./host-source.ts";
import type { ProcessTree } from "./process-trees.ts";
import type { SecondValues } from "./seconds-ring.ts";

type Load = Systeminformation.CurrentLoadData;
type Memory = Systeminformation.MemData;
type Network = Systeminformation.NetworkStatsData[];
type Disks = Systeminformation.FsStatsData | null;

const MAX_FILESYSTEMS = 64;
const NO_SNAPSHOT: Omit<HostSnapshot, "tsSec"> = {
  coreBusyRatios: [],
  disks: [],
  interfaces: [],
  filesystems: [],
  topProcesses: [],
};

/**
 * The numbers that systeminformation can give on systems without /proc: fewer and dearer, since it starts programs.
 * A sample answers what the last background reading found, so that a slow program delays nobody.
 */
export class PortableSampler implements HostSource {
  #values: SecondValues = {};
  #snapshot: Omit<HostSnapshot, "tsSec"> = NO_SNAPSHOT;
  #isReading = false;
  #problem = "";
  #filesystemsMonoMs = Number.NEGATIVE_INFINITY;

  sample(monoMs: number): SecondValues {
    if (!this.#isReading) void this.#refresh(monoMs);
    return this.#values;
  }

  snapshot(): Omit<HostSnapshot, "tsSec"> {
    return this.#snapshot;
  }

  refreshFilesystems(): void {
    this.#filesystemsMonoMs = Number.NEGATIVE_INFINITY;
  }

  failing(): FailingSampler[] {
    return this.#problem === "" ? [] : [{ sampler: "host", problem: this.#problem }];
  }

  /** It would start a program each second. */
  busiest(): [] {
    return [];
  }

  busiestNow(): [] {
    return [];
  }

  processCoverage(): null {
    return null;
  }

  trees(): Map<number, ProcessTree> {
    return new Map();
  }

  ioOf(): null {
    return null;
  }

  stop(): void {}

  async #refresh(monoMs: number): Promise<void> {
    this.#isReading = true;
    try {
      await this.#read(monoMs);
      this.#problem = "";
    } catch (error) {
      // A program that is missing or fails leaves absent values, never old ones.
      this.#values = {};
      this.#problem = `systeminformation failed (${(error as Error).message}), the host's numbers are missing and are tried again each second: see which program it could not start`;
    }
    this.#isReading = false;
  }

  async #read(monoMs: number): Promise<void> {
    // Loaded where it is needed: it takes 12 MB.
    const { default: si } = await import("systeminformation");
    const [load, memory, network, disks] = await Promise.all([
      si.currentLoad(),
      si.mem(),
      si.networkStats("*"),
      si.fsStats() as Promise<Disks>,
    ]);
    this.#values = {
      ...loadValues(load),
      ...memoryValues(memory),
      ...networkValues(network),
      diskReadBytesPerSecond: disks?.rx_sec ?? null,
      diskWriteBytesPerSecond: disks?.wx_sec ?? null,
    };
    this.#snapshot = {
      ...this.#snapshot,
      coreBusyRatios: load.cpus.map((cpu) => cpu.load / 100),
      interfaces: outward(network).map(interfaceState),
    };
    if (this.#filesystemsMonoMs > Number.NEGATIVE_INFINITY) return;
    this.#filesystemsMonoMs = monoMs;
    this.#snapshot = {
      ...this.#snapshot,
      filesystems: (await si.fsSize()).slice(0, MAX_FILESYSTEMS).map(filesystemState),
    };
  }
}

function loadValues(load: Load): SecondValues {
  return {
    cpuUserRatio: load.currentLoadUser / 100,
    cpuSystemRatio: load.currentLoadSystem / 100,
    cpuNiceRatio: load.currentLoadNice / 100,
    cpuIrqRatio: load.currentLoadIrq / 100,
    cpuIdleRatio: load.currentLoadIdle / 100,
    load1: load.avgLoad,
  };
}

function memoryValues(memory: Memory): SecondValues {
  return {
    memTotalBytes: memory.total,
    memAvailableBytes: memory.available,
    memUsedBytes: memory.total - memory.available,
    memBuffersBytes: memory.buffers,
    memCachedBytes: memory.cached,
    swapTotalBytes: memory.swaptotal,
    swapUsedBytes: memory.swapused,
  };
}

function outward(network: Network): Network {
  return network.filter((stats) => !/^lo\d*$/.test(stats.iface));
}

/** Null while the library has no rate yet. */
function networkValues(network: Network): SecondValues {
  const interfaces = outward(network);
  const sum = (field: "rx_sec" | "tx_sec"): number | null => {
    const rates = interfaces.map((stats) => stats[field] as number | null).filter((rate) => rate !== null);
    return rates.length === 0 ? null : rates.reduce((total, rate) => total + Math.max(0, rate), 0);
  };
  return { netReceiveBytesPerSecond: sum("rx_sec"), netTransmitBytesPerSecond: sum("tx_sec") };
}

function interfaceState(stats: Network[number]): HostSnapshot["interfaces"][number] {
  return {
    name: stats.iface,
    receiveBytesPerSecond: stats.rx_sec ?? 0,
    transmitBytesPerSecond: stats.tx_sec ?? 0,
    errorsPerSecond: 0,
    dropsPerSecond: 0,
  };
}

function filesystemState(size: Systeminformation.FsSizeData): HostSnapshot["filesystems"][number] {
  return {
    mount: size.mount,
    type: size.type,
    sizeBytes: size.size,
    usedBytes: size.used,
    availableBytes: size.available,
  };
}
