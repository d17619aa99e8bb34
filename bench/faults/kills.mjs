// kill -9 of the daemon, the collector and both under load, and of the daemon at each of its system calls on the disk.
import { Cleanup } from "../../test/dist/support/cleanup.js";
import { runKillRounds } from "../../test/dist/support/kill-rounds.js";
import { skipWithout } from "../../test/dist/support/parts.js";
import { runSyscallKills } from "../../test/dist/support/syscall-kills.js";

/** One run is drained and compared after so many kills at most. */
const KILLS_PER_RUN = 25;

/** Rows of the table: what is promised, how it is tried, and the function that tries it. */
export function killEntries({ kills, seed }) {
  return [
    {
      promise: "R2",
      method: "kill -9 of the daemon, 5,000 spans/s",
      run: (say) => killRounds("daemon", kills, seed, say),
    },
    {
      promise: "R3",
      method: "kill -9 of the collector, 5,000 spans/s",
      run: (say) => killRounds("collector", Math.ceil(kills / 2), seed, say),
    },
    {
      promise: "R3",
      method: "kill -9 of daemon and collector, 5,000 spans/s",
      run: (say) => killRounds("both", Math.ceil(kills / 4), seed, say),
    },
    {
      promise: "R7",
      method: "kill -9 at each system call of roll, seal, acknowledgement, delete",
      run: syscallKills,
    },
  ];
}

async function killRounds(target, kills, seed, say) {
  const result = { runs: 0, lost: 0, doubled: 0, recoverMs: [], failures: [] };
  while (result.runs < kills) {
    const count = Math.min(KILLS_PER_RUN, kills - result.runs);
    let report;
    try {
      report = await cleanedUp((cleanup) =>
        runKillRounds(cleanup, { target, kills: count, seed: seed + result.runs, onKill: say }),
      );
    } catch (error) {
      // What was measured before it stands.
      result.failures.push(error.message);
      break;
    }
    result.runs += count;
    result.lost += report.lost;
    result.doubled += report.doubled;
    result.recoverMs.push(...report.recoverMs);
    result.failures.push(...report.differences, ...report.auditProblems);
    if (report.droppedSpans > 0)
      result.failures.push(`the agent dropped ${report.droppedSpans} spans (seed ${report.seed})`);
    say(`${result.runs} kills: ${report.requests} requests, ${report.lost} lost, ${report.doubled} doubled`);
  }
  return { ...result, recoverMs: summary(result.recoverMs) };
}

async function syscallKills(say) {
  const missing = skipWithout("strace");
  if (missing !== false) return { runs: 0, failures: [missing] };
  const report = await cleanedUp((cleanup) =>
    runSyscallKills(cleanup, { choose: (points) => points, concurrency: 2, onPoint: say }),
  );
  const { kills, lost, doubled, failures, recoverMs } = report;
  say(`${report.pointsTried} of ${report.pointsRecorded} points, ${report.pointsNotReached} not reached`);
  return { runs: kills, lost, doubled, failures, recoverMs: summary(recoverMs) };
}

async function cleanedUp(use) {
  const cleanup = new Cleanup();
  try {
    return await use(cleanup);
  } finally {
    // A part that died has been reported; that it cannot be stopped any more must not hide it.
    await cleanup.run().catch(() => undefined);
  }
}

/** Median and maximum, in whole milliseconds. */
function summary(values) {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  return { median: Math.round(sorted[sorted.length >> 1]), max: Math.round(sorted.at(-1)) };
}
