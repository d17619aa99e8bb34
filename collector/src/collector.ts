import type { Server } from "node:http";
import { hostname, totalmem } from "node:os";
import type { Logger } from "pino";
import { Access, isPublicAddress } from "./access/access.ts";
import { PasswordStore } from "./access/password-store.ts";
import { SessionStore } from "./access/session-store.ts";
import type { CollectorConfig } from "./config.ts";
import { DaemonQuestions } from "./flight-recorder/daemon-questions.ts";
import { TextFetch } from "./flight-recorder/text-fetch.ts";
import { TraceFetch } from "./flight-recorder/trace-fetch.ts";
import { BatchIntake } from "./ingest/batch-intake.ts";
import { UplinkServer } from "./ingest/uplink-server.ts";
import { API_TOKENS, KeyStore } from "./key-store.ts";
import { LiveHosts } from "./live/live-hosts.ts";
import { LivePolls } from "./live/live-polls.ts";
import { LiveServer } from "./live/live-server.ts";
import { MaintenanceJobs } from "./maintenance-jobs.ts";
import { SettingsStore } from "./settings/settings-store.ts";
import { prepareStateDir, stateDirInUse } from "./state-dir.ts";
import { DiskSpace } from "./store/disk-space.ts";
import { DuckDbStore } from "./store/duckdb/duckdb-store.ts";
import { AllowedHosts } from "./web/allowed-hosts.ts";
import { browserRefusal, hasLoginEnded } from "./web/browser-refusal.ts";
import { listen } from "./web/listen.ts";
import { webApp } from "./web/web-app.ts";

export interface CollectorOptions {
  config: CollectorConfig;
  /** Folder of the built console. */
  consoleDir: string;
  version: string;
  log: Logger;
  clock?: () => number;
}

export interface Collector {
  /** Where console, API and uplink are served, e.g. "http://127.0.0.1:8460". */
  url: string;
  /** Answers every batch that was read, commits, closes; within 3 s unless the disk is slower. */
  stop(): Promise<void>;
}

/**
 * Starts a collector. Throws CollectorError with a sentence for the user: STATE_DIR_NOT_WRITABLE, STATE_DIR_IN_USE,
 * PORT_IN_USE, ADDRESS_NOT_AVAILABLE, PASSWORD_MISSING, PASSWORD_UNREADABLE.
 */
export async function startCollector(options: CollectorOptions): Promise<Collector> {
  const { config, consoleDir, version, log, clock = Date.now } = options;
  prepareStateDir(config.state_dir);
  const keys = new KeyStore(config.state_dir, clock);
  const access = await openAccess(config, keys, log, clock);
  const store = await openStore(config, log, clock);
  complainOfKeys(keys, log);
  const questions = new DaemonQuestions();
  const liveHosts = new LiveHosts();
  const livePolls = new LivePolls(liveHosts);
  const settings = new SettingsStore(config.state_dir);
  if (settings.problem !== null) log.warn({ err: settings.problem }, settings.problem.message);
  const uplinks = new UplinkServer({
    intake: new BatchIntake({ store, onStored: (header) => liveHosts.stored(header), clock, log }),
    keys,
    questions,
    liveHosts,
    settings,
    lastNumber: (stream) => store.lastNumber(stream),
    maxUplinks: config.limits.uplinks,
    version,
    clock,
    log,
  });
  const allowedHosts = new AllowedHosts([config.listen, hostname(), ...config.allowed_hosts]);
  const traceFetch = new TraceFetch({ store, questions, clock, log });
  const jobs = new MaintenanceJobs({ store, clock, log });
  const web = webApp({
    store,
    jobs: () => jobs.status(),
    traceFetch,
    livePolls,
    textFetch: new TextFetch({ store, questions, clock }),
    version,
    consoleDir,
    allowedHosts,
    access,
    settingsRoutes: {
      store,
      keys,
      settings,
      daemons: () => uplinks.daemons(),
      retention: config.retention,
      clock,
    },
    uplinks: () => uplinks.count,
    clock,
    log,
  });
  const live = new LiveServer({
    liveHosts,
    hostsOf: (app) => hostsOfApp(store, app, clock()),
    refusal: (request) => browserRefusal(request, allowedHosts, access),
    hasLoginEnded: (request) => hasLoginEnded(request, access),
    log,
  });
  const attach = (http: Server): void => uplinks.attach(http, live.upgrade.bind(live));
  const { server, url } = await listen(web, config.listen, attach).catch(async (error: unknown) => {
    await store.close();
    throw error;
  });
  jobs.start();
  log.info({ url, stateDir: config.state_dir }, "the collector listens");
  return {
    url,
    stop: async () => {
      jobs.stop();
      livePolls.stop();
      live.stop();
      const closed = closeServer(server);
      await uplinks.stop();
      server.closeAllConnections();
      await closed;
      await store.close();
      log.info("the collector stopped");
    },
  };
}

/** Where the app was seen in the last hour. */
async function hostsOfApp(store: DuckDbStore, app: string, nowMs: number): Promise<string[]> {
  const nowSec = Math.ceil(nowMs / 1000);
  const [seen] = await store.apps.seen({ fromSec: nowSec - 3_600, toSec: nowSec + 60 }, app);
  return seen?.hosts ?? [];
}

/**
 * A collector without its keys starts nevertheless: the console shows what is stored, daemons keep what they have in
 * their journals, and a restored file works at once, without a restart.
 */
function complainOfKeys(keys: KeyStore, log: Logger): void {
  try {
    keys.check();
  } catch (error) {
    log.warn({ err: error }, `no daemon can report: ${(error as Error).message}`);
  }
}

async function openAccess(
  config: CollectorConfig,
  keys: KeyStore,
  log: Logger,
  clock: () => number,
): Promise<Access> {
  const { state_dir: stateDir, listen, allowed_hosts: proxied } = config;
  const passwords = new PasswordStore(stateDir);
  const isPublic = await isPublicAddress(listen, stateDir, passwords);
  if (passwords.mark === null && proxied.length > 0)
    log.warn(
      `whoever reaches the proxy of ${proxied[0]} sees everything unless that asks who they are; have the console ask with: apm password --state-dir ${stateDir}`,
    );
  const sessions = new SessionStore({
    stateDir,
    clock,
    onNotKept: (error) => log.warn({ err: error }, `log-ins hold until the collector ends: ${error.message}`),
  });
  const tokens = new KeyStore(stateDir, clock, API_TOKENS);
  return new Access({ isPublic, passwords, sessions, tokens, keys, log });
}

/** What weeks of many hosts need to be answered without reading files again and again, where there is so much. */
function storeMemoryMb(): number {
  // 0 or a number beyond all memory: no limit.
  const limit = process.constrainedMemory();
  const share = Math.min(totalmem() / 8, limit > 0 ? limit / 3 : Number.POSITIVE_INFINITY);
  return Math.round(Math.min(1_024, Math.max(256, share / 1e6)));
}

async function openStore(config: CollectorConfig, log: Logger, clock: () => number): Promise<DuckDbStore> {
  try {
    return await DuckDbStore.open({
      stateDir: config.state_dir,
      memoryLimitMb: config.store.memory_limit_mb || storeMemoryMb(),
      threads: config.store.threads,
      queryTimeoutMs: config.limits.query_seconds * 1000,
      queriesWaiting: config.limits.queries_waiting,
      retention: {
        days: config.retention.days,
        minutesDays: config.retention.minutes_days,
        hoursDays: config.retention.hours_days,
        tracesDays: config.retention.traces_days,
        sampledTracesDays: config.retention.sampled_traces_days,
        recordsDays: config.retention.records_days,
      },
      maxPending: config.limits.pending_batches,
      maxPendingBytes: config.limits.pending_mb * 1_048_576,
      diskSpace: new DiskSpace({
        folder: config.state_dir,
        minFreeBytes: config.store.min_free_disk_mb * 1_048_576,
        minFreeRatio: config.store.min_free_disk_ratio,
        clock,
      }),
      clock,
      warn: (sentence) => log.warn(sentence),
    });
  } catch (error) {
    throw stateDirInUse(error, config.state_dir) ?? error;
  }
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}
