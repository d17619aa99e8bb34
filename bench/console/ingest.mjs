// What the batches of many hosts cost a collector on one core, and how long its answers take meanwhile.
import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { HandUplink } from "../../collector/dist/testing/hand-uplink.js";
import {
  encoded,
  histogramOf,
  sampleHeader,
  sampleHost,
  sampleRequests,
} from "../../collector/dist/testing/sample-batch.js";
import { HOST_METRICS, PROCESS_METRICS } from "../../protocol/dist/index.js";
import { print, round, sleep } from "../support/options.mjs";
import { cpuSeconds, rssBytes } from "../support/process-cost.mjs";
import { startApm } from "./collector.mjs";
import { pageCalls } from "./page-calls.mjs";
import { percentile } from "./queries.mjs";

const CLI = fileURLToPath(new URL("../../cli/bundle/main.js", import.meta.url));
const WINDOW_SEC = 10;
const ROWS = 4;

export async function measureIngest({ hosts, seconds }) {
  const stateDir = mkdtempSync(join(tmpdir(), "apm-bench-ingest-"));
  const key = execFileSync(process.execPath, [CLI, "key", "create", "--state-dir", stateDir, "bench"], {
    encoding: "utf8",
  }).trim();
  const collector = await startApm("collector", stateDir, { core: 0 });
  try {
    const senders = [];
    for (let host = 0; host < hosts; host++) senders.push(await connect(collector.url, key, host));
    const untilMs = performance.now() + seconds * 1_000;
    const cpuBefore = cpuSeconds(collector.pid);
    const startedMs = performance.now();
    const acks = [];
    // Daemons send at moments of their own, spread over the window.
    const sending = senders.map(async (sender, host) => {
      await sleep((host / hosts) * WINDOW_SEC * 1_000);
      while (performance.now() < untilMs) {
        const begunMs = performance.now();
        const type = await deliver(sender);
        if (type !== "ack") throw new Error(`a batch was answered with ${type}`);
        acks.push(performance.now() - begunMs);
        await sleep(Math.max(0, WINDOW_SEC * 1_000 - (performance.now() - begunMs)));
      }
    });
    const asked = [];
    const asking = (async () => {
      while (performance.now() < untilMs) {
        const toMs = Date.now();
        const pages = pageCalls({
          app: "shop-1",
          action: "GET /page/1",
          host: "web-1",
          range: { fromMs: toMs - 1_800_000, toMs },
        });
        for (const path of [...pages.home, ...pages.app]) {
          const begunMs = performance.now();
          await (await fetch(collector.url + path)).text();
          asked.push(performance.now() - begunMs);
        }
        await sleep(1_000);
      }
    })();
    await Promise.all([...sending, asking]);
    const took = (performance.now() - startedMs) / 1_000;
    print("console ingest", {
      hosts,
      seconds: round(took, 1),
      batches: acks.length,
      cores: 1,
      collectorCpuRatio: round((cpuSeconds(collector.pid) - cpuBefore) / took, 3),
      collectorRssMb: round(rssBytes(collector.pid) / 1e6, 0),
      ackP50Ms: round(percentile(acks, 0.5), 1),
      ackP99Ms: round(percentile(acks, 0.99), 1),
      answers: asked.length,
      answerP50Ms: round(percentile(asked, 0.5), 1),
      answerP95Ms: round(percentile(asked, 0.95), 1),
    });
    for (const { uplink } of senders) await uplink.close();
  } finally {
    await collector.stop();
    rmSync(stateDir, { recursive: true, force: true });
  }
}

async function connect(url, key, number) {
  const stream = randomUUID();
  const host = sampleHost({ name: `web-${number}`, id: `id-${number}` });
  const uplink = await HandUplink.open(url, key);
  await uplink.hello(stream, host);
  return { uplink, stream, host, number, next: 1 };
}

/** The type of the answer to a batch; the collector may tell other things in between. */
async function deliver(sender) {
  let message = await sender.uplink.deliver(batch(sender));
  while (message.type !== "ack" && message.type !== "nack") message = await sender.uplink.next();
  return message.type;
}

/** A window of a host with some traffic: as many rows as fill.mjs has. */
function batch(sender) {
  const tsSec = Math.floor(Date.now() / 1_000 / WINDOW_SEC) * WINDOW_SEC - WINDOW_SEC;
  const seconds = Array.from({ length: WINDOW_SEC }, (_, i) => tsSec + i);
  const columns = (metrics) =>
    Object.fromEntries(metrics.map(({ name }) => [name, seconds.map(() => round(Math.random(), 4))]));
  const app = `shop-${sender.number % 4}`;
  const durations = Array.from({ length: 12 }, () => 2_000 / (1 - Math.random()) ** 0.7);
  const actions = Array.from(
    { length: ROWS },
    (_, i) => `GET /page/${(sender.number * ROWS + i * 37 + sender.next) % 200}`,
  );
  const header = sampleHeader({
    stream: sender.stream,
    number: sender.next++,
    createdUnixMs: Date.now(),
    host: sender.host,
    apps: [
      {
        app,
        apdexTMs: 500,
        instances: [
          {
            instance: `i-${sender.number}`,
            pid: 42,
            runtime: "node 20.19.0",
            agentVersion: "0.2.0",
            startUnixMs: tsSec * 1_000,
          },
        ],
      },
    ],
    hostSeconds: { tsSec: seconds, columns: columns(HOST_METRICS) },
    processSeconds: [
      { app, instance: `i-${sender.number}`, pid: 42, tsSec: seconds, columns: columns(PROCESS_METRICS) },
    ],
    actions: actions.map((action) => sampleRequests(durations, { tsSec, app, action })),
    operations: actions.map((action) => ({
      tsSec,
      app,
      action,
      category: "database",
      system: "postgresql",
      target: "db:5432",
      operation: "SELECT items",
      statement: "00000000000000aa",
      calls: 12,
      errors: 0,
      sumUs: 24_000,
      maxUs: 9_000,
      histogram: histogramOf(durations),
    })),
    ledger: [{ tsSec, app, created: 96, received: 96, dropped: {} }],
  });
  return encoded(header);
}
