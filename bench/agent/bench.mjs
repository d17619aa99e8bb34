// What a span and an HTTP request cost an app, in CPU time added over the same app without any agent: this agent, the
// OpenTelemetry SDK with its OTLP exporter, and dd-trace. All variants take turns in each round; medians of the rounds.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import { startDaemon } from "../support/daemon.mjs";
import { median, print, readOptions, round, sleep } from "../support/options.mjs";
import { load } from "./http-load.mjs";

const HTTP_REQUESTS_PER_SECOND = 2_000;
const SPANS_PER_REQUEST = 4;
const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const moduleAt = (path) => pathToFileURL(path).href;

const { rounds, seconds } = readOptions(5, 5);
const daemon = await startDaemon();
const sink = spawn(process.execPath, [here("sink.mjs")], { stdio: ["ignore", "pipe", "inherit"] });
const [sinkPort] = await once(createInterface(sink.stdout), "line");

const agentModule = moduleAt(fileURLToPath(new URL("../../agent-lib/dist/register.js", import.meta.url)));
const VARIANTS = {
  none: { load: [], env: { SPANS: "0" } },
  apm: {
    load: ["--import", agentModule],
    env: { SPANS: "1", APM_SOCKET: daemon.socket, APM_APP_NAME: "bench", APM_OVERHEAD_BUDGET: "0" },
  },
  otel: { load: ["--import", moduleAt(here("peer-otel.mjs"))], env: { SPANS: "1", SINK_PORT: sinkPort } },
  datadog: {
    load: ["--import", moduleAt(here("peer-datadog.mjs"))],
    env: { SPANS: "1", SINK_PORT: sinkPort },
  },
};

function start(app, { load: loadOptions, env }, more = {}) {
  const child = spawn(process.execPath, [...loadOptions, here(app)], {
    env: { ...process.env, ...env, ...more, SECONDS: String(seconds) },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface(child.stdout);
  const nextLine = async () => {
    const [line] = await once(lines, "line");
    return JSON.parse(line);
  };
  return { child, nextLine };
}

async function measureSpans(variant) {
  const { nextLine } = start("span-app.mjs", variant, { USES_OTEL_API: "1" });
  const { cpuUs, requests } = await nextLine();
  return cpuUs / requests;
}

async function measureHttp(variant) {
  const { child, nextLine } = start("http-app.cjs", variant);
  const { port } = await nextLine();
  const usage = async () => {
    child.kill("SIGUSR2");
    return nextLine();
  };
  await load(port, HTTP_REQUESTS_PER_SECOND, 3_000);
  const before = await usage();
  await load(port, HTTP_REQUESTS_PER_SECOND, seconds * 1_000);
  const after = await usage();
  child.kill("SIGKILL");
  return (after.cpuUs - before.cpuUs) / (after.requests - before.requests);
}

/** How much the variant has delivered so far: a peer that records nothing would look cheap. */
async function delivered(name) {
  if (name === "apm") return (await daemon.status()).intake.spans;
  return Number(await (await fetch(`http://127.0.0.1:${sinkPort}/bytes`)).text());
}

async function measureProven(name, measure) {
  if (name === "none") return measure(VARIANTS.none);
  const before = await delivered(name);
  const cost = await measure(VARIANTS[name]);
  if ((await delivered(name)) === before) throw new Error(`${name} delivered nothing: its cost says nothing`);
  return cost;
}

async function run(what, measure, unitsPerRequest) {
  const costs = Object.fromEntries(Object.keys(VARIANTS).map((name) => [name, []]));
  for (let i = 0; i < rounds; i++) {
    const names = Object.keys(VARIANTS);
    // Each round begins with another variant, so that none is always the one after a pause.
    for (const name of [...names.slice(i % names.length), ...names.slice(0, i % names.length)]) {
      costs[name].push((await measureProven(name, measure)) / unitsPerRequest);
      await sleep(200);
    }
  }
  const base = median(costs.none);
  const added = (name) => median(costs[name].map((cost, i) => cost - costs.none[i]));
  const own = added("apm");
  for (const name of Object.keys(VARIANTS)) {
    const addedUs = name === "none" ? 0 : added(name);
    print("agent", {
      what,
      variant: name,
      baseUs: round(base),
      addedUs: round(addedUs),
      timesApm: name === "none" ? 0 : round(addedUs / own),
      rounds,
    });
  }
}

try {
  await run("span, paced 20k/s", measureSpans, SPANS_PER_REQUEST);
  await run(`http request, paced ${HTTP_REQUESTS_PER_SECOND}/s`, measureHttp, 1);
} finally {
  sink.kill();
  await daemon.stop();
}
