import type { LossLedger } from "../aggregate/loss-ledger.ts";
import type { HostWatch } from "../host-watch.ts";
import { runOnSchedule } from "../schedule.ts";
import { SelfReport } from "../status/self-report.ts";
import type { Uplink } from "../uplink/uplink.ts";
import type { DaemonContext } from "./context.ts";

/** Has the daemon log what it cost and did, when the configuration says. */
export function scheduleSelfReport(
  { config, clock, log, stops }: DaemonContext,
  { self }: Pick<HostWatch, "self">,
  ledger: LossLedger,
  uplink: Uplink,
): void {
  const report = new SelfReport({
    totals: () => {
      const { user, system } = process.cpuUsage();
      const dropped = Object.values(ledger.dropped()).flatMap((reasons) => Object.values(reasons));
      return {
        cpuMs: (user + system) / 1_000,
        received: ledger.received,
        dropped: dropped.reduce((sum, spans) => sum + spans, 0),
        batchesAcked: uplink.counts.acked,
        bytesSent: uplink.counts.bytesSent,
      };
    },
    self,
    monoMs: clock.monoMs,
    log,
  });
  runOnSchedule(
    [{ name: "self-report", expression: config.schedule.self_report, run: () => report.report() }],
    log,
    stops,
  );
}
