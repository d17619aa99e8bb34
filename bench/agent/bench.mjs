// What an agent costs an app, over the same app without any: this agent, the OpenTelemetry SDK with its OTLP exporter, dd-trace and
// elastic-apm-node. All variants take turns in each round; medians of the rounds.
//   npm run bench -- agent [--rounds 5] [--seconds 5] [--only span,http,service,start,size]
import { parseArgs } from "node:util";
import { Cleanup } from "../../test/dist/support/cleanup.js";
import { startDatabases } from "../../test/dist/support/databases.js";
import { median, print, round, sleep } from "../support/options.mjs";
import { saturate } from "../support/saturate.mjs";
import { load } from "./http-load.mjs";
import { installSizes } from "./install-size.mjs";
import { Variants } from "./variants.mjs";

const SPANS_PER_REQUEST = 4;
const WARM_UP_MS = 3_000;
const SATURATED_SECONDS = 3;
const STARTS = 3;
const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "5" },
    only: { type: "string", default: "span,http,service,start,size" },
  },
});
const rounds = Number(options.rounds);
const seconds = Number(options.seconds);
const cleanup = new Cleanup();
const variants = await Variants.start();

async function measureSpans(name) {
  const { nextLine } = variants.run(name, "span-app.mjs", { USES_OTEL_API: "1", SECONDS: String(seconds) });
  const { cpuUs, requests, rssBytes } = await nextLine();
  return { cpuUs: cpuUs / requests / SPANS_PER_REQUEST, rssMb: rssBytes / 1e6 };
}

/** A web app at a steady rate, and then with as many requests as it answers. */
async function measureWeb(name, app, requestsPerSecond, env) {
  const { child, nextLine } = variants.run(name, app, env);
  const { port } = await nextLine();
  const usage = () => {
    child.kill("SIGUSR2");
    return nextLine();
  };
  await load(port, requestsPerSecond, WARM_UP_MS);
  const before = await usage();
  const { p99Ms } = await load(port, requestsPerSecond, seconds * 1_000);
  const after = await usage();
  const { perSecond } = await saturate(`http://127.0.0.1:${port}/hello`, SATURATED_SECONDS);
  child.kill("SIGKILL");
  return {
    cpuUs: (after.cpuUs - before.cpuUs) / (after.requests - before.requests),
    rssMb: after.rssBytes / 1e6,
    p99Ms,
    loopDelayP99Ms: after.loopDelayP99Ms,
    saturatedPerSecond: perSecond,
  };
}

/** From the start of the process until the app listens; the best of some: a busy machine only adds. */
async function measureStart(name) {
  let startMs = Number.POSITIVE_INFINITY;
  for (let i = 0; i < STARTS; i++) {
    const beginMs = performance.now();
    const { child, nextLine } = variants.run(name, "http-app.cjs");
    const { port } = await nextLine();
    startMs = Math.min(startMs, performance.now() - beginMs);
    if (i === 0) await load(port, 200, 2_000);
    child.kill("SIGTERM");
    await sleep(100);
  }
  return { startMs };
}

/** Prints, for each variant, the medians of what was measured and what it has more than no agent, CPU also against ours. */
async function run(what, measure) {
  const measured = Object.fromEntries(variants.names.map((name) => [name, []]));
  for (let i = 0; i < rounds; i++) {
    const { names } = variants;
    // Each round begins with another variant, so that none is always the one after a pause.
    for (const name of [...names.slice(i % names.length), ...names.slice(0, i % names.length)]) {
      measured[name].push(await variants.measure(name, measure));
      await sleep(200);
    }
  }
  const added = (name, key) => median(measured[name].map((one, i) => one[key] - measured.none[i][key]));
  for (const name of variants.names) {
    const keys = Object.keys(measured[name][0]);
    const row = { what, variant: name, rounds };
    for (const key of keys) {
      row[key] = round(median(measured[name].map((one) => one[key])));
      if (name !== "none") row[`added_${key}`] = round(added(name, key));
    }
    if (name !== "none" && keys.includes("cpuUs"))
      row.timesApm = round(added(name, "cpuUs") / added("apm", "cpuUs"));
    print("agent", row);
  }
}

const ROWS = {
  span: () => run("span, paced 20k/s", measureSpans),
  http: () => run("http request, paced 2000/s", (name) => measureWeb(name, "http-app.cjs", 2_000)),
  service: async () => {
    const { postgresUrl, redisUrl } = await startDatabases(cleanup);
    const env = { POSTGRES_URL: postgresUrl, REDIS_URL: redisUrl };
    await run("request with 2 queries of PostgreSQL and 1 of Redis, paced 300/s", (name) =>
      measureWeb(name, "service-app.cjs", 300, env),
    );
  },
  start: () => run("start-up until the app listens", measureStart),
  size: () => {
    for (const row of installSizes()) print("agent", row);
  },
};

try {
  for (const name of options.only.split(",")) await ROWS[name]();
} finally {
  await variants.stop();
  await cleanup.run();
}
