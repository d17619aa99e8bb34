// What a browser needs for the console: its first view, drawing charts, and the memory of live mode.
import { mkdtempSync, rmSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { chromium } from "playwright-core";
import { findProgram } from "../../test/dist/support/parts.js";
import { print, round, sleep } from "../support/options.mjs";
import { startApm } from "./collector.mjs";
import { percentile } from "./queries.mjs";

const CHARTS = 20;
const POINTS = 300;
const REDRAWS = 30;
const LOADS = 7;

export async function launch() {
  const executablePath = findProgram("chromium");
  if (executablePath === null) throw new Error("chromium is not installed: apt-get install chromium");
  return await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
  });
}

/** Times from the navigation's start, each load with an empty cache. */
export async function measureFirstView(browser, url) {
  for (const [name, path] of [
    ["home", "/"],
    ["app", "/apps/shop-1"],
  ]) {
    const content = [];
    const interactive = [];
    for (let load = 0; load < LOADS; load++) {
      const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
      const page = await context.newPage();
      await page.addInitScript(WATCH_INTERACTIVE);
      await page.goto(url + path, { waitUntil: "commit" });
      const ms = await page.evaluate(INTERACTIVE);
      const paint = await page.evaluate(
        "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null",
      );
      if (paint !== null) content.push(paint);
      interactive.push(ms);
      await context.close();
    }
    print("console first view", {
      page: name,
      loads: LOADS,
      firstContentP50Ms: round(percentile(content, 0.5), 0),
      firstContentMaxMs: round(Math.max(...content), 0),
      interactiveP50Ms: round(percentile(interactive, 0.5), 0),
      interactiveMaxMs: round(Math.max(...interactive), 0),
    });
  }
}

/** The page has its heading and its data, and the main thread has answered a task after that. */
const WATCH_INTERACTIVE = `(() => {
  const look = () => {
    const isThere = document.querySelector("h1") && document.querySelector(".card") && !document.querySelector(".skeleton");
    if (!isThere) return requestAnimationFrame(look);
    setTimeout(() => { window.interactiveMs = performance.now(); });
  };
  requestAnimationFrame(look);
})()`;

const INTERACTIVE = `new Promise((resolve) => {
  const look = () => (window.interactiveMs === undefined ? setTimeout(look, 20) : resolve(window.interactiveMs));
  look();
})`;

/** Redraws charts of the console's own code, three series each, with new values. */
export async function measureCharts(browser, url) {
  const { outputFiles } = buildSync({
    stdin: {
      contents: CHARTS_ENTRY,
      resolveDir: fileURLToPath(new URL("../../console/src/chart", import.meta.url)),
      loader: "ts",
    },
    bundle: true,
    write: false,
    format: "iife",
    jsx: "automatic",
    jsxImportSource: "preact",
  });
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(url);
  await page.evaluate(outputFiles[0].text);
  const took = await page.evaluate(`redraws(${CHARTS}, ${POINTS}, ${REDRAWS})`);
  print("console charts", {
    charts: CHARTS,
    points: POINTS,
    series: 3,
    redraws: REDRAWS,
    p50Ms: round(percentile(took, 0.5), 1),
    p95Ms: round(percentile(took, 0.95), 1),
  });
  await page.close();
}

const CHARTS_ENTRY = `
import { currentPalette } from "./colors.ts";
import { TimePlot } from "./time-plot.ts";
const colors = ["code", "database", "cache"];
const dataOf = (points) => {
  const t0 = 1_790_000_000_000;
  const values = colors.map(() => Array.from({ length: points }, () => 1 + Math.random()));
  return { range: { fromMs: t0, toMs: t0 + points * 10_000 }, t0, stepMs: 10_000, isLive: false, values, missing: [], partial: [], fillingFrom: null, marks: [] };
};
window.redraws = async (charts, points, rounds) => {
  const shape = { kind: "lines", unit: "ms", isLog: false, top: null, leastTop: 0, gradeWords: null,
    series: colors.map((color, layer) => ({ key: color, color, isDashed: false, layer })) };
  const handlers = { onCursor: () => {}, onZoom: () => {}, onPick: () => {} };
  const plots = Array.from({ length: charts }, () => {
    const target = document.createElement("div");
    target.style.cssText = "width:420px;height:180px";
    document.body.append(target);
    return new TimePlot(target, shape, dataOf(points), currentPalette(), handlers);
  });
  const took = [];
  for (let round = 0; round < rounds; round++) {
    const all = plots.map(() => dataOf(points));
    await new Promise((resolve) => requestAnimationFrame(resolve));
    const begun = performance.now();
    plots.forEach((plot, i) => plot.draw(all[i], null));
    // uPlot draws in a microtask.
    await new Promise((resolve) => queueMicrotask(() => queueMicrotask(resolve)));
    took.push(performance.now() - begun);
  }
  return took;
};
`;

/** Memory of a host's page in live mode, of a collector and daemon of their own, after collecting garbage. */
export async function measureLive(browser, minutes) {
  const stateDir = mkdtempSync(join(tmpdir(), "apm-bench-live-"));
  const up = await startApm("up", stateDir);
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    const session = await page.context().newCDPSession(page);
    await page.goto(`${up.url}/hosts/${encodeURIComponent(hostname())}?live=1&from=now-5m&to=now`);
    await page.waitForSelector("canvas", { timeout: 60_000 });
    const used = async () => {
      await session.send("HeapProfiler.collectGarbage");
      return (await session.send("Runtime.getHeapUsage")).usedSize / 1e6;
    };
    await sleep(15_000);
    const samples = [];
    const beginMs = performance.now();
    while (performance.now() - beginMs < minutes * 60_000) {
      samples.push({ minute: (performance.now() - beginMs) / 60_000, mb: await used() });
      await sleep(10_000);
    }
    samples.push({ minute: (performance.now() - beginMs) / 60_000, mb: await used() });
    print("console live memory", {
      minutes: round(samples.at(-1).minute, 1),
      firstMb: round(samples[0].mb, 2),
      lastMb: round(samples.at(-1).mb, 2),
      maxMb: round(Math.max(...samples.map(({ mb }) => mb)), 2),
      slopeMbPerHour: round(slopePerMinute(samples) * 60, 2),
    });
    await page.close();
  } finally {
    await up.stop();
    rmSync(stateDir, { recursive: true, force: true });
  }
}

function slopePerMinute(samples) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [minute, mb] = [mean(samples.map((one) => one.minute)), mean(samples.map((one) => one.mb))];
  const over = samples.reduce((sum, one) => sum + (one.minute - minute) * (one.mb - mb), 0);
  return over / samples.reduce((sum, one) => sum + (one.minute - minute) ** 2, 0);
}
