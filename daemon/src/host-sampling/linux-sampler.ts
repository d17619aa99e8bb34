import type { HostSnapshot } from "@apm-daemon/protocol";
import { Cpu } from "./cpu.ts";
import { Disks } from "./disks.ts";
import { Filesystems } from "./filesystems.ts";
import type { HostSource } from "./host-source.ts";
import { Load } from "./load.ts";
import { Memory } from "./memory.ts";
import { Network } from "./network.ts";
import { readPageBytes } from "./page-size.ts";
import { Pressure } from "./pressure.ts";
import { ProcScanner } from "./proc-scanner.ts";
import type { SecondValues } from "./seconds-ring.ts";
import { Tcp } from "./tcp.ts";
import { TopProcesses } from "./top-processes.ts";

const FILESYSTEMS_EVERY_MS = 60_000;

type Parts = Pick<HostSnapshot, "coreBusyRatios" | "disks" | "interfaces">;

/** Everything that Linux tells of a host, straight from /proc. */
export class LinuxSampler implements HostSource {
  readonly #cpu: Cpu;
  readonly #memory: Memory;
  readonly #disks: Disks;
  readonly #network: Network;
  readonly #tcp: Tcp;
  readonly #pressure: Pressure;
  readonly #load: Load;
  readonly #filesystems: Filesystems;
  readonly #topProcesses: TopProcesses;
  #sampledMonoMs = Number.NaN;
  #partsMonoMs = Number.NaN;
  #parts: Parts = { coreBusyRatios: [], disks: [], interfaces: [] };
  #filesystemsMonoMs = Number.NEGATIVE_INFINITY;

  constructor(procRoot: string, passwdFile: string) {
    const scanner = new ProcScanner();
    const pageBytes = readPageBytes(`${procRoot}/self/auxv`);
    this.#cpu = new Cpu(procRoot, scanner);
    this.#memory = new Memory(procRoot, scanner, pageBytes);
    this.#disks = new Disks(procRoot, scanner);
    this.#network = new Network(procRoot, scanner);
    this.#tcp = new Tcp(procRoot, scanner);
    this.#pressure = new Pressure(procRoot, scanner);
    this.#load = new Load(procRoot, scanner);
    this.#filesystems = new Filesystems({ procRoot, scanner });
    this.#topProcesses = new TopProcesses({ procRoot, passwdFile, pageBytes, scanner });
  }

  sample(monoMs: number): SecondValues {
    const elapsedSec = (monoMs - this.#sampledMonoMs) / 1000;
    const isFirst = Number.isNaN(this.#sampledMonoMs);
    this.#sampledMonoMs = monoMs;
    const values = {
      ...this.#cpu.sample(elapsedSec),
      ...this.#load.sample(),
      ...this.#memory.sample(elapsedSec),
      ...this.#disks.sample(elapsedSec),
      ...this.#network.sample(elapsedSec),
      ...this.#tcp.sample(elapsedSec),
      ...this.#pressure.sample(elapsedSec),
    };
    if (isFirst) this.#refreshParts();
    this.#topProcesses.tick(monoMs);
    if (monoMs - this.#filesystemsMonoMs >= FILESYSTEMS_EVERY_MS) {
      this.#filesystemsMonoMs = monoMs;
      void this.#filesystems.refresh();
    }
    return values;
  }

  snapshot(): Omit<HostSnapshot, "tsSec"> {
    this.#refreshParts();
    return {
      ...this.#parts,
      filesystems: this.#filesystems.newest(),
      topProcesses: this.#topProcesses.top(),
    };
  }

  stop(): void {
    const sources = [
      this.#cpu,
      this.#memory,
      this.#disks,
      this.#network,
      this.#tcp,
      this.#pressure,
      this.#load,
    ];
    for (const source of [...sources, this.#filesystems, this.#topProcesses]) source.close();
  }

  /** The parts' counters are those of the last sample: between two samples the averages stay as they are. */
  #refreshParts(): void {
    if (this.#partsMonoMs === this.#sampledMonoMs) return;
    const elapsedSec = (this.#sampledMonoMs - this.#partsMonoMs) / 1000;
    this.#partsMonoMs = this.#sampledMonoMs;
    this.#parts = {
      coreBusyRatios: this.#cpu.coreBusyRatios(),
      disks: this.#disks.snapshot(elapsedSec),
      interfaces: this.#network.snapshot(elapsedSec),
    };
  }
}
