// How long the collector takes for what each page asks, over ranges up to 30 days.
import { print, round } from "../support/options.mjs";
import { pageCalls } from "./page-calls.mjs";

export const BAR_MS = 200;
const RANGES = { "30 min": 1_800, "24 h": 86_400, "7 d": 7 * 86_400, "30 d": 30 * 86_400 };
/** As a browser does to one address. */
const CONNECTIONS = 6;

/** The least of the values that this share of them does not exceed. */
export const percentile = (values, q) =>
  values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(q * values.length) - 1)] ?? 0;

/** One line a page and range; answers what was above the bar. `shows` also prints single calls. */
export async function measureQueries({ url, endSec, hosts, actions, rounds, only, shows }) {
  const above = [];
  for (const [name, seconds] of Object.entries(RANGES)) {
    const found = new Map();
    // The first round opens files and plans queries for the first time: users have that once a start.
    for (let round = -1; round < rounds; round++) {
      const to = (endSec - Math.max(0, round) * 10) * 1_000;
      const action = (round + 1) % actions;
      const subject = {
        app: `shop-${action % 4}`,
        action: `GET /page/${action}`,
        host: `web-${(round + 1) % hosts}`,
      };
      const pages = pageCalls({ ...subject, range: { fromMs: to - seconds * 1_000, toMs: to } });
      for (const [page, paths] of Object.entries(pages)) {
        if (only && page !== only) continue;
        const begunMs = performance.now();
        const calls = await askAll(url, paths);
        if (round < 0) continue;
        const known = found.get(page) ?? { calls: [], pages: [] };
        known.calls.push(...calls);
        known.pages.push(performance.now() - begunMs);
        found.set(page, known);
      }
    }
    for (const [page, { calls, pages }] of found) {
      const took = calls.map(({ ms }) => ms);
      const result = {
        page,
        range: name,
        queries: calls.length / pages.length,
        p50Ms: round(percentile(took, 0.5), 1),
        p95Ms: round(percentile(took, 0.95), 1),
        pageP50Ms: round(percentile(pages, 0.5), 1),
        pageP95Ms: round(percentile(pages, 0.95), 1),
      };
      print("console queries", result);
      if (result.p95Ms > BAR_MS) above.push(result);
      if (shows) showCalls(calls);
    }
  }
  return above;
}

/** All at once, on as many connections as a browser has. */
async function askAll(url, paths) {
  const waiting = [...paths];
  const done = [];
  const connection = async () => {
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      const begunMs = performance.now();
      const answer = await fetch(url + path);
      const text = await answer.text();
      // What is not there in a range is an answer too.
      if (answer.status !== 200 && answer.status !== 404)
        throw new Error(`${answer.status} for ${path}: ${text}`);
      done.push({ path, ms: performance.now() - begunMs });
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, connection));
  return done;
}

function showCalls(calls) {
  const byCall = new Map();
  for (const { path, ms } of calls) {
    const call = path.replace(/\?.*/, "").replace(/shop-\d+|web-\d+/, "*");
    byCall.set(call, [...(byCall.get(call) ?? []), ms]);
  }
  for (const [call, took] of byCall)
    console.error(
      `    ${call} ${round(percentile(took, 0.5), 1)} ms, p95 ${round(percentile(took, 0.95), 1)} ms`,
    );
}
