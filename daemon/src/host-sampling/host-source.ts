import type { HostSnapshot } from "@apm-daemon/protocol";
import type { SecondValues } from "./seconds-ring.ts";

/** Where a host's numbers come from on one kind of system. */
export interface HostSource {
  /** The values of the time since the last call, by names of HOST_METRICS; rates are null at first. */
  sample(monoMs: number): SecondValues;
  snapshot(): Omit<HostSnapshot, "tsSec">;
  stop(): void;
}
