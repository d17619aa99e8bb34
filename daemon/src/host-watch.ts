import type { HostIdentity } from "@apm-daemon/protocol";
import { schedule } from "node-cron";
import { Beat } from "./host-sampling/beat.ts";
import { HostSampler } from "./host-sampling/host-sampler.ts";
import { type InventoryOptions, readInventory } from "./host-sampling/inventory.ts";
import { ProcessSampler } from "./host-sampling/process-sampler.ts";
import { SelfUsage } from "./status/self-usage.ts";
import type { StopStack } from "./stop-stack.ts";

export interface HostWatch {
  /** Kept up to date in place. */
  identity: HostIdentity;
  host: HostSampler;
  processes: ProcessSampler;
  self: SelfUsage;
}

/** Hardware and system change seldom, under a running daemon least of all: once a day is enough. */
const INVENTORY_SCHEDULE = "17 4 * * *";
const SELF_EVERY_SEC = 5;

/** Begins to sample this host and the processes that `processes` is told of, once a second; `onSampled` is told each time. */
export async function watchHost(
  { inventory, maxProcessFiles }: { inventory: InventoryOptions; maxProcessFiles: number },
  onSampled: () => void,
  stops: StopStack,
): Promise<HostWatch> {
  const host = new HostSampler({ maxProcessFiles });
  const watch: HostWatch = {
    identity: await readInventory(inventory),
    host,
    processes: new ProcessSampler({ host }),
    self: new SelfUsage(),
  };
  stops.push(() => watch.host.stop());
  stops.push(() => watch.processes.stop());
  const job = schedule(INVENTORY_SCHEDULE, async () => {
    Object.assign(watch.identity, await readInventory(inventory));
  });
  stops.push(() => job.stop());
  const beat = new Beat({
    onSecond: (tsSec, monoMs) => {
      watch.host.tick(tsSec, monoMs);
      void watch.processes.tick(tsSec, monoMs);
      if (tsSec % SELF_EVERY_SEC === 0) watch.self.measure();
      onSampled();
    },
  });
  beat.start();
  stops.push(() => beat.stop());
  return watch;
}
