import type { HostIdentity } from "@apm-daemon/protocol";
import type { Logger } from "pino";
import type { DaemonConfig } from "./config.ts";
import { Beat } from "./host-sampling/beat.ts";
import { HostSampler } from "./host-sampling/host-sampler.ts";
import { type InventoryOptions, readInventory } from "./host-sampling/inventory.ts";
import { readPackages } from "./host-sampling/packages.ts";
import { ProcessSampler } from "./host-sampling/process-sampler.ts";
import { runOnSchedule } from "./schedule.ts";
import { SelfUsage } from "./status/self-usage.ts";
import type { StopStack } from "./stop-stack.ts";

export interface HostWatch {
  /** Kept up to date in place. */
  identity: HostIdentity;
  host: HostSampler;
  processes: ProcessSampler;
  self: SelfUsage;
}

export interface HostWatchOptions {
  inventory: InventoryOptions;
  /** Files of processes that may stay open. */
  maxProcessFiles: number;
  config: Pick<DaemonConfig, "sampling" | "schedule">;
  /** Is told each time that a second was sampled. */
  onSampled: (tsSec: number, host: HostSampler) => void;
  log: Logger;
}

/** Begins to sample this host and the processes that `processes` is told of, once a second. */
export async function watchHost(options: HostWatchOptions, stops: StopStack): Promise<HostWatch> {
  const { inventory, maxProcessFiles, config, onSampled, log } = options;
  const resolutionSec = config.sampling.resolution;
  const self = new SelfUsage();
  const host = new HostSampler({ maxProcessFiles, resolutionSec, self: (monoMs) => self.sample(monoMs) });
  const processes = new ProcessSampler({ host, resolutionSec });
  stops.push(() => self.stop());
  stops.push(() => host.stop());
  stops.push(() => processes.stop());
  const identity: HostIdentity = await readInventory(inventory);
  const lookAtPackages = async (): Promise<void> => {
    const packages = await readPackages();
    if (packages !== null) identity.packages = packages;
  };
  // Nobody waits for it: the next batch tells what it found.
  void lookAtPackages();
  const { schedule } = config;
  runOnSchedule(
    [
      {
        name: "inventory",
        expression: schedule.inventory,
        run: async () => void Object.assign(identity, await readInventory(inventory)),
      },
      {
        name: "look at packages",
        expression: schedule.packages,
        run: lookAtPackages,
      },
      {
        name: "look at filesystems",
        expression: schedule.filesystems,
        run: () => host.refreshFilesystems(),
      },
    ],
    log,
    stops,
  );
  const beat = new Beat({
    onSecond: (tsSec, monoMs) => {
      host.tick(tsSec, monoMs);
      void processes.tick(tsSec, monoMs);
      onSampled(tsSec, host);
    },
  });
  beat.start();
  stops.push(() => beat.stop());
  return { identity, host, processes, self };
}
