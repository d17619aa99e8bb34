import { Cleanup } from "../support/cleanup.ts";
import { type KillReport, type KillTarget, runKillRounds } from "../support/kill-rounds.ts";

const TARGETS: readonly KillTarget[] = ["daemon", "collector", "both"];
/** Kills before all is drained and compared. */
const KILLS_PER_RUN = 25;

/** Kill rounds until the time is over, daemon, collector and both by turns, each run with a seed of its own. */
export async function soakKills(options: {
  seconds: number;
  seed: number;
  say: (sentence: string) => void;
}): Promise<KillReport[]> {
  const endAtMs = performance.now() + options.seconds * 1_000;
  const reports: KillReport[] = [];
  while (performance.now() < endAtMs) {
    const target = TARGETS[reports.length % TARGETS.length] as KillTarget;
    const cleanup = new Cleanup();
    try {
      const report = await runKillRounds(cleanup, {
        target,
        kills: KILLS_PER_RUN,
        seed: options.seed + reports.length,
        onKill: options.say,
      });
      reports.push(report);
      options.say(
        `${report.kills} kills (${target}, seed ${report.seed}): ${report.requests} requests, ${report.lost} lost, ${report.doubled} doubled, ${report.droppedSpans} spans dropped by the app`,
      );
    } finally {
      await cleanup.run();
    }
  }
  return reports;
}
