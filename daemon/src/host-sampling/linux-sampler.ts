import type { FailingSampler, HostSnapshot, ProcessState } from "@apm-daemon/protocol";
import { BusiestProcesses, type BusyProcess } from "./busiest-processes.ts";
import { CommandMemory } from "./command-memory.ts";
import { Cpu } from "./cpu.ts";
import { Disks } from "./disks.ts";
import { Filesystems } from "./filesystems.ts";
import type { HostCoverage, HostSource } from "./host-source.ts";
import { Load } from "./load.ts";
import { Memory } from "./memory.ts";
import { Network } from "./network.ts";
import { readPageBytes } from "./page-size.ts";
import { Pressure } from "./pressure.ts";
import { ProcScanner } from "./proc-scanner.ts";
import { ProcessIo, type ProcessIoRate } from "./process-io.ts";
import { ProcessTable } from "./process-table.ts";
import { type ProcessTree, processTrees } from "./process-trees.ts";
import { SamplerGuard, type SamplerPart } from "./sampler-guard.ts";
import type { SecondValues } from "./seconds-ring.ts";
import { Tcp } from "./tcp.ts";
import { TopProcesses } from "./top-processes.ts";

/** Of the files of processes that may stay open. */
const IO_FILES_SHARE = 1 / 16;

type Parts = Pick<HostSnapshot, "coreBusyRatios" | "disks" | "interfaces">;

export interface LinuxSamplerOptions {
  procRoot: string;
  passwdFile: string;
  maxProcessFiles: number;
  busiestSeconds: number;
}

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
  readonly #processes: ProcessTable;
  readonly #io: ProcessIo;
  readonly #busiest: BusiestProcesses;
  readonly #topProcesses: TopProcesses;
  readonly #secondParts: readonly (readonly [name: string, part: SamplerPart & { close(): void }])[];
  readonly #guard: SamplerGuard = new SamplerGuard();
  readonly #values: Record<string, number | null> = {};
  #sampledMonoMs = Number.NaN;
  #partsMonoMs = Number.NaN;
  #parts: Parts = { coreBusyRatios: [], disks: [], interfaces: [] };

  constructor({ procRoot, passwdFile, maxProcessFiles, busiestSeconds }: LinuxSamplerOptions) {
    const scanner = new ProcScanner();
    const pageBytes = readPageBytes(`${procRoot}/self/auxv`);
    this.#cpu = new Cpu(procRoot, scanner);
    this.#memory = new Memory(procRoot, scanner, pageBytes);
    this.#disks = new Disks(procRoot, scanner);
    this.#network = new Network(procRoot, scanner);
    this.#tcp = new Tcp(procRoot, scanner);
    this.#pressure = new Pressure(procRoot, scanner);
    this.#load = new Load(procRoot, scanner);
    this.#secondParts = [
      ["cpu", this.#cpu],
      ["load", this.#load],
      ["memory", this.#memory],
      ["disks", this.#disks],
      ["network", this.#network],
      ["tcp", this.#tcp],
      ["pressure", this.#pressure],
    ];
    this.#filesystems = new Filesystems({ procRoot, scanner });
    const ioFiles = Math.floor(maxProcessFiles * IO_FILES_SHARE);
    this.#processes = new ProcessTable({
      procRoot,
      pageBytes,
      scanner,
      maxOpenFiles: maxProcessFiles - ioFiles,
    });
    this.#io = new ProcessIo(procRoot, scanner, ioFiles);
    const commands = new CommandMemory(procRoot);
    this.#busiest = new BusiestProcesses({
      seconds: busiestSeconds,
      commandOf: (process) => commands.of(process),
    });
    this.#topProcesses = new TopProcesses({ procRoot, passwdFile });
  }

  sample(monoMs: number, tsSec: number): SecondValues {
    const elapsedSec = (monoMs - this.#sampledMonoMs) / 1000;
    const isFirst = Number.isNaN(this.#sampledMonoMs);
    this.#sampledMonoMs = monoMs;
    // One object for all seconds: making a new one of so many parts costs more than reading half of the files.
    for (const [name, part] of this.#secondParts) this.#guard.sample(name, part, elapsedSec, this.#values);
    if (isFirst) {
      this.#guard.run("parts", () => this.#refreshParts());
      this.refreshFilesystems();
    }
    this.#guard.run("processes", () => {
      this.#processes.tick(monoMs);
      this.#io.tick(this.#processes, monoMs);
      this.#busiest.note(tsSec, this.#processes, this.#io);
    });
    return this.#values;
  }

  /** Only schedules read them again: their sizes change slowly, and each costs a system call that may wait for its disk. */
  refreshFilesystems(): void {
    void this.#filesystems.refresh();
  }

  failing(): FailingSampler[] {
    return [...this.#guard.failing, ...this.#filesystems.failing];
  }

  busiest(fromTsSec: number, toTsSec: number): BusyProcess[] {
    return this.#busiest.between(fromTsSec, toTsSec);
  }

  processCoverage(): HostCoverage {
    return { ...this.#processes.coverage, ioHidden: this.#io.hidden };
  }

  trees(roots: ReadonlySet<number>): Map<number, ProcessTree> {
    return processTrees(this.#processes, roots);
  }

  ioOf(pid: number): ProcessIoRate | null {
    const process = this.#processes.get(pid);
    return process === undefined ? null : this.#io.of(process);
  }

  busiestNow(): ProcessState[] {
    return this.#topProcesses.top(this.#processes, this.#io, "cpuRatio");
  }

  snapshot(): Omit<HostSnapshot, "tsSec"> {
    this.#refreshParts();
    return {
      ...this.#parts,
      filesystems: this.#filesystems.newest(),
      topProcesses: this.#topProcesses.top(this.#processes, this.#io, "longRatio"),
    };
  }

  stop(): void {
    for (const [, part] of this.#secondParts) part.close();
    for (const part of [this.#filesystems, this.#processes, this.#io]) part.close();
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
