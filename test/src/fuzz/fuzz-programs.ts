/** Starts the built daemon and the built collector for the fuzzer, and looks at them before and after. */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Cleanup } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { createKeyFile, StateDir, startCollector, startDaemon } from "../support/system.ts";
import { UplinkSocket } from "../support/uplink-socket.ts";
import { type CollectorFuzzResult, fuzzCollector } from "./fuzz-collector.ts";
import { type DaemonFuzzResult, fuzzDaemon } from "./fuzz-daemon.ts";
import { RssWatch } from "./process-memory.ts";

export interface ProgramFuzzOrder {
  seed: number;
  cases: number;
  seconds: number;
}

export interface RealDaemonResult extends DaemonFuzzResult {
  /** "" when the daemon kept its promises. */
  failure: string;
  /** Resident memory towards the end of the first cases, and how much there was more towards the end of all of them. */
  warmRssBytes: number;
  rssGrowthBytes: number;
  malformed: number;
  /** Frames that the daemon journaled, the good app's among them. */
  frames: number;
}

const TOML = "seal_interval_ms = 1000\n[journal]\nsegment_bytes = 2097152\ncap_bytes = 16777216\n";
/** Until what is bounded is full: open requests, instances that are gone. */
const WARM_UP_SHARE = 0.4;

export async function fuzzRealDaemon(
  cleanup: Cleanup,
  { seed, cases, seconds, peers }: ProgramFuzzOrder & { peers: number },
): Promise<RealDaemonResult> {
  const collectorState = new StateDir(cleanup);
  const collector = await startCollector(cleanup, collectorState);
  const keyFile = await createKeyFile(collectorState, "fuzz");
  const stateDir = new StateDir(cleanup);
  const daemon = await startDaemon(cleanup, {
    stateDir,
    collectorUrl: collector.uplinkUrl,
    keyFile,
    toml: TOML,
  });
  const rss = new RssWatch(daemon.pid);
  cleanup.add(() => rss.stop());
  const common = { socket: stateDir.agentSocket, peers, isAlive: () => daemon.isRunning };
  const warm = Math.ceil(cases * WARM_UP_SHARE);
  const first = await fuzzDaemon({
    ...common,
    seed: seed + 1,
    cases: warm,
    seconds: seconds * WARM_UP_SHARE,
  });
  const warmRssBytes = rss.settle();
  const second = { ...common, seed, cases: cases - warm, seconds: seconds * (1 - WARM_UP_SHARE) };
  const result = await fuzzDaemon(second).catch(async (error: unknown) => {
    const status = daemon.isRunning ? JSON.stringify(await stateDir.status()) : "none";
    throw new Error(`${String(error)}; status: ${status}; ${daemon.describe().slice(-2_000)}`, {
      cause: error,
    });
  });
  if (!daemon.isRunning)
    return {
      ...result,
      failure: daemon.describe(),
      warmRssBytes,
      rssGrowthBytes: 0,
      malformed: 0,
      frames: 0,
    };
  const rssGrowthBytes = rss.settle() - warmRssBytes;
  const { intake, dropped } = await stateDir.status();
  const failures: string[] = [];
  const closed = first.closed + result.closed;
  if (!first.isGoodUnharmed || !result.isGoodUnharmed)
    failures.push("a good app's frames were not acknowledged");
  if (dropped["good"] !== undefined) failures.push(`a good app lost ${JSON.stringify(dropped["good"])}`);
  if (intake.malformed + intake.refused < closed)
    failures.push(`${closed} peers were closed, ${intake.malformed + intake.refused} counted`);
  const wanted = first.goodRequests + result.goodRequests;
  await eventually("the good app's requests are in the API", 60_000, async () => {
    const found = await collector.api.requestCount("good");
    if (found !== wanted) throw new Error(`${found} of ${wanted}`);
  }).catch((error: unknown) => failures.push(String(error)));
  return {
    ...result,
    cases: first.cases + result.cases,
    closed,
    goodRequests: wanted,
    refusals: first.refusals + result.refusals,
    failure: failures.join("; "),
    warmRssBytes,
    rssGrowthBytes,
    malformed: intake.malformed,
    frames: intake.frames,
  };
}

export interface RealCollectorResult extends CollectorFuzzResult {
  warmRssBytes: number;
  rssGrowthBytes: number;
}

export async function fuzzRealCollector(
  cleanup: Cleanup,
  { seed, cases, seconds }: ProgramFuzzOrder,
): Promise<RealCollectorResult> {
  const stateDir = new StateDir(cleanup);
  const collector = await startCollector(cleanup, stateDir);
  const key = readFileSync(await createKeyFile(stateDir, "fuzz"), "utf8").trim();
  const open = async (): Promise<UplinkSocket> => {
    const socket = await UplinkSocket.open(cleanup, collector.uplinkUrl, key);
    socket.sendHello(randomUUID());
    await socket.waitFor("welcome");
    return socket;
  };
  const rss = new RssWatch(collector.program.pid);
  cleanup.add(() => rss.stop());
  const common = { open, isAlive: () => collector.program.isRunning };
  const warm = Math.ceil(cases * WARM_UP_SHARE);
  await fuzzCollector({ ...common, seed: seed + 1, cases: warm, seconds: seconds * WARM_UP_SHARE });
  const warmRssBytes = rss.settle();
  const result = await fuzzCollector({ ...common, seed, cases, seconds: seconds * (1 - WARM_UP_SHARE) });
  if (!collector.program.isRunning) throw new Error(collector.program.describe());
  const healthy = await fetch(`${collector.url}/healthz`);
  if (!healthy.ok) throw new Error(`GET /healthz answers ${healthy.status} after the fuzzing`);
  return {
    ...result,
    warmRssBytes,
    rssGrowthBytes: rss.settle() - warmRssBytes,
  };
}
