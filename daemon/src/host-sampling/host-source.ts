import type { FailingSampler, HostSnapshot, ProcessState } from "@apm-daemon/protocol";
import type { BusyProcess } from "./busiest-processes.ts";
import type { ProcessIoRate } from "./process-io.ts";
import type { ProcessCoverage } from "./process-table.ts";
import type { ProcessTree } from "./process-trees.ts";
import type { SecondValues } from "./seconds-ring.ts";

/** How the host's processes are read. */
export interface HostCoverage extends ProcessCoverage {
  /** Processes whose disk work is not ours to read. */
  ioHidden: number;
}

/** Where a host's numbers come from on one kind of system. */
export interface HostSource {
  /** The values of the time since the last call, by names of HOST_METRICS; rates are null at first. `tsSec` names the second. */
  sample(monoMs: number, tsSec: number): SecondValues;
  busiest(fromTsSec: number, toTsSec: number): BusyProcess[];
  /** The processes with most CPU in the last second and those with most memory; none where the system does not tell. */
  busiestNow(): ProcessState[];
  /** The parts that fail now. */
  failing(): FailingSampler[];
  processCoverage(): HostCoverage | null;
  trees(roots: ReadonlySet<number>): ReadonlyMap<number, ProcessTree>;
  ioOf(pid: number): ProcessIoRate | null;
  snapshot(): Omit<HostSnapshot, "tsSec">;
  /** In the background. */
  refreshFilesystems(): void;
  stop(): void;
}
