import type { SamplingStatus } from "@apm-daemon/protocol";
import type { HostWatch } from "../host-watch.ts";

type Sampled = Pick<HostWatch, "host" | "processes">;

/** What the status says of the sampling. */
export function samplingStatus({ host, processes }: Sampled): SamplingStatus {
  const coverage = host.processCoverage;
  return {
    failing: [...host.failing, ...processes.failing],
    processes:
      coverage === null
        ? null
        : {
            count: coverage.processes,
            read: coverage.read,
            idleEverySec: coverage.idleEverySec,
            unlisted: coverage.unlisted,
            ioHidden: coverage.ioHidden,
          },
    refusedProcesses: processes.refusedProcesses,
  };
}

/** Its failures in words. That idle processes among thousands are read less often is none: the status shows it. */
export function samplingProblems(watch: Sampled): string[] {
  const { failing, processes, refusedProcesses } = samplingStatus(watch);
  const problems = failing.map(({ sampler, problem }) => `sampling of ${sampler}: ${problem}`);
  if ((processes?.unlisted ?? 0) > 0)
    problems.push(
      `${processes?.unlisted} of ${processes?.count} processes are not looked at: find out what starts so many`,
    );
  if (refusedProcesses > 0)
    problems.push(
      `${refusedProcesses} processes of apps were not sampled because 512 are: their CPU and memory are missing, run fewer on one host`,
    );
  return problems;
}
