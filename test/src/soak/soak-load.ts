/**
 * A steady load of 20,000 spans/s on the built daemon and collector with their default settings. Every few seconds it
 * notes what they cost; at the end all drains, and every count is compared.
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cleanup } from "../support/cleanup.ts";
import { counterDifferences } from "../support/counter-differences.ts";
import { CountingApp } from "../support/counting-app.ts";
import { DrainCheck } from "../support/drain-check.ts";
import { eventually } from "../support/eventually.ts";
import { auditProblems, runAudit } from "../support/run-audit.ts";
import { readStatus } from "../support/status-socket.ts";
import { createKeyFile, StateDir, startCollector, startDaemon } from "../support/system.ts";
import { type ProcessSample, processSample } from "./process-sample.ts";
import { blockMedians, slope } from "./slope.ts";

export const SOAK_SPANS_PER_SECOND = 20_000;
const APPS = 4;
const SAMPLE_MS = 5_000;
/** What the daemon keeps of the last hour fills in this time; slopes are of the rest, at least half of a run. */
const WARM_UP_SECONDS = 3_600;
const WARM_UP_SHARE_AT_MOST = 0.5;
const BLOCK_SECONDS = 180;
const DRAIN_WITHIN_MS = 120_000;

interface Sample {
  t: number;
  daemon: ProcessSample;
  collector: ProcessSample;
  journalBytes: number;
  outboxBytes: number;
}

export interface PartCost {
  /** Share of one core, over the measured time. */
  cpuRatio: number;
  maxRssBytes: number;
  /** Of the medians of BLOCK_SECONDS. */
  rssSlopeMbPerHour: number;
  /** Standard error of that. */
  rssSlopeErrorMbPerHour: number;
  openFilesSlopePerHour: number;
  maxOpenFiles: number;
}

export interface SoakReport {
  spans: number;
  requests: number;
  spansPerSecond: number;
  daemon: PartCost;
  collector: PartCost;
  maxJournalBytes: number;
  maxOutboxBytes: number;
  outboxSlopeMbPerHour: number;
  droppedSpans: number;
  lost: number;
  doubled: number;
  differences: string[];
  /** What `apm audit` finds wrong. */
  auditProblems: string[];
}

export async function soakLoad(
  cleanup: Cleanup,
  options: { seconds: number; say: (sentence: string) => void },
): Promise<SoakReport> {
  const collectorState = new StateDir(cleanup);
  const collector = await startCollector(cleanup, collectorState);
  const stateDir = new StateDir(cleanup);
  const daemon = await startDaemon(cleanup, {
    stateDir,
    collectorUrl: collector.uplinkUrl,
    keyFile: await createKeyFile(collectorState, "soak"),
    // As the unit and `apm up` start it.
    env: { NODE_OPTIONS: "--max-semi-space-size=4", MALLOC_ARENA_MAX: "1" },
  });
  const statusSocket = join(stateDir.path, "run", "status.sock");
  const apps = await Promise.all(
    Array.from({ length: APPS }, (_, i) =>
      CountingApp.start(cleanup, {
        name: `soak-${i + 1}`,
        agentSocket: stateDir.agentSocket,
        spansPerSecond: SOAK_SPANS_PER_SECOND / APPS,
        requestsPerAction: 1,
        maxActions: 50,
      }),
    ),
  );
  const startedMs = performance.now();
  const samples: Sample[] = [];
  while (performance.now() - startedMs < options.seconds * 1_000) {
    await sleep(SAMPLE_MS);
    const { journal, outbox } = await readStatus(statusSocket);
    const sample: Sample = {
      t: (performance.now() - startedMs) / 1_000,
      daemon: processSample(daemon.pid),
      collector: processSample(collector.program.pid),
      journalBytes: journal.bytes,
      outboxBytes: outbox.bytes,
    };
    samples.push(sample);
    options.say(sentenceOf(sample));
  }
  const madeSeconds = (performance.now() - startedMs) / 1_000;
  const truths = await Promise.all(apps.map((app) => app.stopMaking()));
  await Promise.all(apps.map((app) => app.end()));
  await eventually("the daemon has read what the apps wrote", DRAIN_WITHIN_MS, async () => {
    const { intake } = await readStatus(statusSocket);
    if (intake.connections > 0) throw new Error(`${intake.connections} connections are open`);
  });
  const check = new DrainCheck(statusSocket);
  await eventually("all that was journaled is sealed and acknowledged", DRAIN_WITHIN_MS, async () => {
    const missing = await check.missing();
    if (missing !== null) throw new Error(missing);
  });
  const found = await Promise.all(
    apps.map((app, i) => counterDifferences(collector.api, app.name, truths[i] as (typeof truths)[number])),
  );
  const audit = await runAudit(stateDir, collector.uplinkUrl);
  const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
  const spans = sum(truths.map((truth) => truth.spans));
  const warmUpSeconds = Math.min(WARM_UP_SECONDS, options.seconds * WARM_UP_SHARE_AT_MOST);
  const measured = samples.filter((sample) => sample.t > warmUpSeconds);
  return {
    spans,
    requests: sum(truths.map((truth) => truth.requests)),
    spansPerSecond: spans / madeSeconds,
    daemon: costOf(measured, "daemon"),
    collector: costOf(measured, "collector"),
    maxJournalBytes: Math.max(...measured.map(({ journalBytes }) => journalBytes)),
    maxOutboxBytes: Math.max(...measured.map(({ outboxBytes }) => outboxBytes)),
    outboxSlopeMbPerHour: perHour(measured.map(({ t, outboxBytes }) => ({ t, value: outboxBytes }))) / 1e6,
    droppedSpans: sum(truths.map((truth) => truth.agent?.spansDropped ?? 0)),
    lost: sum(found.map(({ lost }) => lost)),
    doubled: sum(found.map(({ doubled }) => doubled)),
    differences: found.flatMap(({ details }) => details),
    auditProblems: apps.flatMap((app, i) => auditProblems(audit, app.name, truths[i]?.spans ?? 0)),
  };
}

function costOf(samples: readonly Sample[], part: "daemon" | "collector"): PartCost {
  const first = samples[0];
  const last = samples.at(-1);
  const cpuRatio =
    first === undefined || last === undefined || first === last
      ? 0
      : (last[part].cpuSeconds - first[part].cpuSeconds) / (last.t - first.t);
  const rss = slope(
    blockMedians(
      samples.map((sample) => ({ t: sample.t, value: sample[part].rssBytes })),
      BLOCK_SECONDS,
    ),
  );
  return {
    cpuRatio,
    maxRssBytes: Math.max(...samples.map((sample) => sample[part].rssBytes)),
    rssSlopeMbPerHour: (rss.slope * 3_600) / 1e6,
    rssSlopeErrorMbPerHour: (rss.error * 3_600) / 1e6,
    openFilesSlopePerHour: perHour(samples.map((sample) => ({ t: sample.t, value: sample[part].openFiles }))),
    maxOpenFiles: Math.max(...samples.map((sample) => sample[part].openFiles)),
  };
}

/** Slope of values over seconds, as growth in an hour. */
function perHour(points: readonly { t: number; value: number }[]): number {
  return slope(points).slope * 3_600;
}

function sentenceOf({ t, daemon, collector, journalBytes, outboxBytes }: Sample): string {
  const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
  return `${Math.round(t)} s: daemon ${mb(daemon.rssBytes)}, ${daemon.openFiles} files, ${daemon.cpuSeconds.toFixed(1)} CPU s; collector ${mb(collector.rssBytes)}, ${collector.openFiles} files; journal ${mb(journalBytes)}, outbox ${mb(outboxBytes)}`;
}
