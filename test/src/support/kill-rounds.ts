/**
 * Kills daemon, collector or both over and over under a steady load, lets all drain, and compares what the collector counts
 * with what the app counted itself.
 *
 * A round: start what is dead, wait for its first acknowledgement (not when it is to die while it starts), wait for the
 * round's moment, SIGKILL. Moments and waits come from the seed.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cleanup } from "./cleanup.ts";
import { CollectorApi } from "./collector-api.ts";
import { counterDifferences } from "./counter-differences.ts";
import { CountingApp, type Truth } from "./counting-app.ts";
import { DrainCheck } from "./drain-check.ts";
import { eventually } from "./eventually.ts";
import { freePort } from "./free-port.ts";
import { type KillMoment, waitForMoment } from "./kill-moment.ts";
import { KilledCollector, KilledDaemon } from "./killed-parts.ts";
import { auditProblems, runAudit } from "./run-audit.ts";
import { seededRandom } from "./seeded-random.ts";
import { readStatus } from "./status-socket.ts";
import { createKeyFile, StateDir } from "./system.ts";

export type KillTarget = "daemon" | "collector" | "both";

export interface KillRoundsOptions {
  target: KillTarget;
  kills: number;
  seed: number;
  spansPerSecond?: number;
  /** Told a sentence after each kill. */
  onKill?: (sentence: string) => void;
}

export interface KillReport {
  target: KillTarget;
  kills: number;
  seed: number;
  /** How many kills fell at which moment. */
  moments: Record<string, number>;
  requests: number;
  spans: number;
  lost: number;
  doubled: number;
  differences: string[];
  /** What `apm audit` finds wrong. */
  auditProblems: string[];
  /** Spans that the agent could not keep. */
  droppedSpans: number;
  /** From start to the first acknowledgement, of each start that was let live so long. */
  recoverMs: number[];
  durationMs: number;
}

const APP = "counter";
/** About two minutes of this load: on a busy machine a daemon may take longer to come back than the agent's own 4 MiB last. */
const RING_BYTES = 33_554_432;
const DRAIN_WITHIN_MS = 90_000;

/** Seals often, rolls often, and calls nothing "(other)". */
const DAEMON_TOML = `
seal_interval_ms = 1000
journal.segment_bytes = 2097152
journal.cap_bytes = 67108864
limits.actions_per_app = 100000
limits.operations_per_app = 100000
`;
/** Disks of test machines are small, and their cores busy: neither free space nor the time of a query is tested here. */
const COLLECTOR_TOML = `
store.min_free_disk_mb = 0
store.min_free_disk_ratio = 0
limits.query_seconds = 600
`;

const MOMENTS: Record<KillTarget, readonly KillMoment[]> = {
  daemon: ["any", "seal", "ack", "start-up", "roll", "seal", "any", "ack"],
  collector: ["any", "seal", "ack", "start-up", "seal", "ack"],
  both: ["any", "seal", "ack", "start-up", "roll"],
};

export async function runKillRounds(cleanup: Cleanup, options: KillRoundsOptions): Promise<KillReport> {
  const run = await KillRun.start(cleanup, options);
  return run.toEnd();
}

class KillRun {
  readonly #options: KillRoundsOptions;
  readonly #random: () => number;
  readonly #stateDir: StateDir;
  readonly #daemon: KilledDaemon;
  readonly #collector: KilledCollector;
  readonly #app: CountingApp;
  readonly #api: CollectorApi;
  readonly #startedMs: number = performance.now();
  readonly #recoverMs: number[] = [];
  readonly #moments: Record<string, number> = {};

  static async start(cleanup: Cleanup, options: KillRoundsOptions): Promise<KillRun> {
    const stateDir = new StateDir(cleanup);
    const collectorState = new StateDir(cleanup);
    const listen = `127.0.0.1:${await freePort()}`;
    const daemonToml = join(stateDir.path, "daemon.toml");
    const collectorToml = join(collectorState.path, "collector.toml");
    writeFileSync(daemonToml, DAEMON_TOML);
    writeFileSync(collectorToml, COLLECTOR_TOML);
    const daemon = new KilledDaemon(cleanup, {
      stateDir,
      collectorUrl: `ws://${listen}`,
      keyFile: await createKeyFile(collectorState, "killed"),
      configFile: daemonToml,
    });
    const collector = new KilledCollector(cleanup, {
      stateDir: collectorState,
      listen,
      daemonStatusSocket: daemon.statusSocket,
      configFile: collectorToml,
    });
    const api = new CollectorApi(`http://${listen}`, Date.now());
    collector.start();
    daemon.start();
    const app = await CountingApp.start(cleanup, {
      name: APP,
      agentSocket: stateDir.agentSocket,
      spansPerSecond: options.spansPerSecond ?? 5_000,
      ringBytes: RING_BYTES,
    });
    await Promise.all([daemon.recovered(), collector.recovered()]);
    return new KillRun(options, { stateDir, daemon, collector, app, api });
  }

  private constructor(
    options: KillRoundsOptions,
    parts: {
      stateDir: StateDir;
      daemon: KilledDaemon;
      collector: KilledCollector;
      app: CountingApp;
      api: CollectorApi;
    },
  ) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.#stateDir = parts.stateDir;
    this.#daemon = parts.daemon;
    this.#collector = parts.collector;
    this.#app = parts.app;
    this.#api = parts.api;
  }

  async toEnd(): Promise<KillReport> {
    const { kills, target, seed } = this.#options;
    const moments = MOMENTS[target];
    for (let kill = 1; kill <= kills; kill++) {
      const moment = moments[(kill - 1 + seed) % moments.length] as KillMoment;
      await this.#round(kill, moment);
    }
    await Promise.all(this.#targets().map((part) => part.recovered()));
    const truth = await this.#app.stopMaking();
    await this.#app.handedOver(DRAIN_WITHIN_MS);
    await this.#app.end();
    await this.#drained();
    return this.#report(truth);
  }

  #targets(): (KilledDaemon | KilledCollector)[] {
    if (this.#options.target === "daemon") return [this.#daemon];
    if (this.#options.target === "collector") return [this.#collector];
    return [this.#daemon, this.#collector];
  }

  async #round(kill: number, moment: KillMoment): Promise<void> {
    const parts = this.#targets();
    // A roll is most often the first thing after a start.
    const isFirstRoll = moment === "roll" && this.#random() < 0.9;
    let recoverMs: number[] = [];
    if (moment !== "start-up" && !isFirstRoll)
      recoverMs = await Promise.all(parts.map((part) => part.recovered()));
    // The first kill needs no start before it: it has recovered before.
    if (kill > 1) this.#recoverMs.push(...recoverMs);
    await waitForMoment(moment, this.#stateDir.path, this.#random);
    await this.#kill(parts);
    for (const part of this.#random() < 0.5 ? parts : parts.toReversed()) {
      part.start();
      if (parts.length > 1) await sleep(this.#random() * 300);
    }
    this.#moments[moment] = (this.#moments[moment] ?? 0) + 1;
    const times = recoverMs.map((ms) => `${Math.round(ms)} ms`).join(", ");
    this.#options.onKill?.(
      `kill ${kill} of ${this.#options.kills} (${this.#options.target}, ${moment})${times === "" ? "" : `, had recovered in ${times}`}`,
    );
  }

  /** Both within moments of each other, in either order. */
  async #kill(parts: readonly (KilledDaemon | KilledCollector)[]): Promise<void> {
    for (const part of this.#random() < 0.5 ? parts : parts.toReversed()) {
      await part.kill();
      if (parts.length > 1 && this.#random() < 0.5) await sleep(this.#random() * 200);
    }
  }

  /** Until the collector has acknowledged all that the daemon journaled. */
  async #drained(): Promise<void> {
    await eventually("the daemon has read what the app wrote", DRAIN_WITHIN_MS, async () => {
      const { intake } = await readStatus(this.#daemon.statusSocket);
      if (intake.connections > 0) throw new Error(`${intake.connections} connections are open`);
    });
    const check = new DrainCheck(this.#daemon.statusSocket);
    await eventually("all that was journaled is sealed and acknowledged", DRAIN_WITHIN_MS, async () => {
      const missing = await check.missing();
      if (missing !== null) throw new Error(missing);
    });
  }

  async #report(truth: Truth): Promise<KillReport> {
    const { lost, doubled, details } = await counterDifferences(this.#api, APP, truth);
    const audit = await runAudit(this.#stateDir, this.#api.url.replace("http", "ws"));
    return {
      target: this.#options.target,
      kills: this.#options.kills,
      seed: this.#options.seed,
      moments: this.#moments,
      requests: truth.requests,
      spans: truth.spans,
      lost,
      doubled,
      differences: details,
      auditProblems: auditProblems(audit, APP, truth.spans),
      droppedSpans: truth.agent?.spansDropped ?? 0,
      recoverMs: this.#recoverMs,
      durationMs: performance.now() - this.#startedMs,
    };
  }
}
