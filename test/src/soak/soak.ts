/**
 * Hours of load, or of kills: `npm run test:soak -- --minutes 60 [--strict]`, `npm run test:soak -- --minutes 60 --kills [--seed N]`; or of
 * requests to an app under the agent: `npm run test:soak -- --minutes 30 --app [--strict]`.
 * Exits with 1 when anything was lost, doubled or dropped; figures are printed, and judged only with --strict.
 */
import { parseArgs } from "node:util";
import { Cleanup } from "../support/cleanup.ts";
import { soakApp } from "./soak-app.ts";
import { soakKills } from "./soak-kills.ts";
import { type PartCost, type SoakReport, soakLoad } from "./soak-load.ts";

/** What the daemon may cost at 20,000 spans/s. */
const MAX_CPU_RATIO = 0.25;
const MAX_RSS_BYTES = 130e6;
/** Judged only by what the run can tell: a slope is too much when it is more than that by two standard errors. */
const MAX_RSS_SLOPE_MB_PER_HOUR = 0.5;
const MAX_FILES_SLOPE_PER_HOUR = 1;

/** Of an app under the agent, after full collections. */
const MAX_HEAP_SLOPE_MB_PER_HOUR = 0.5;

const say = (sentence: string): void => console.log(sentence);

async function load(seconds: number, isStrict: boolean): Promise<boolean> {
  const cleanup = new Cleanup();
  try {
    const report = await soakLoad(cleanup, { seconds, say });
    say(JSON.stringify(report, null, 2));
    const broken = losses(report);
    const tooMuch = overLimits(report.daemon);
    for (const sentence of [...broken, ...tooMuch]) say(sentence);
    return broken.length === 0 && (!isStrict || tooMuch.length === 0);
  } finally {
    await cleanup.run();
  }
}

function losses({ lost, doubled, droppedSpans, differences, auditProblems }: SoakReport): string[] {
  if (lost + doubled + droppedSpans === 0) return auditProblems;
  const sum = `${lost} lost, ${doubled} doubled, ${droppedSpans} spans dropped by the apps`;
  return [sum, ...differences, ...auditProblems];
}

function overLimits(daemon: PartCost): string[] {
  const limits: [string, number, number][] = [
    ["share of a core", daemon.cpuRatio, MAX_CPU_RATIO],
    ["resident memory in bytes", daemon.maxRssBytes, MAX_RSS_BYTES],
    [
      "growth of memory in MB an hour, less two standard errors,",
      daemon.rssSlopeMbPerHour - 2 * daemon.rssSlopeErrorMbPerHour,
      MAX_RSS_SLOPE_MB_PER_HOUR,
    ],
    ["growth of open files in an hour", daemon.openFilesSlopePerHour, MAX_FILES_SLOPE_PER_HOUR],
  ];
  return limits
    .filter(([, value, limit]) => value > limit)
    .map(([what, value, limit]) => `the daemon's ${what} is ${value.toFixed(3)}, more than ${limit}`);
}

async function app(seconds: number, isStrict: boolean): Promise<boolean> {
  const cleanup = new Cleanup();
  try {
    const report = await soakApp(cleanup, { seconds, say });
    say(JSON.stringify(report, null, 2));
    const { requests, spansCreated, spansDropped, spansReceived, heapSlopeMbPerHour } = report;
    const isWhole = spansDropped === 0 && spansCreated === requests && spansReceived === requests;
    if (!isWhole) say("not all requests became spans that the daemon has");
    const isFlat = heapSlopeMbPerHour <= MAX_HEAP_SLOPE_MB_PER_HOUR;
    if (!isFlat) say(`the heap grows by more than ${MAX_HEAP_SLOPE_MB_PER_HOUR} MB an hour`);
    return isWhole && (!isStrict || isFlat);
  } finally {
    await cleanup.run();
  }
}

async function kills(seconds: number, seed: number): Promise<boolean> {
  const reports = await soakKills({ seconds, seed, say });
  const isExact = reports.every(
    ({ lost, doubled, droppedSpans, auditProblems }) =>
      lost + doubled + droppedSpans === 0 && auditProblems.length === 0,
  );
  say(`${reports.reduce((sum, report) => sum + report.kills, 0)} kills: ${isExact ? "exact" : "NOT exact"}`);
  for (const { differences, auditProblems } of reports)
    for (const problem of [...differences, ...auditProblems]) say(problem);
  return isExact;
}

const { values: options } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    strict: { type: "boolean", default: false },
    kills: { type: "boolean", default: false },
    app: { type: "boolean", default: false },
    seed: { type: "string", default: "1" },
  },
});
const seconds = Number(options.minutes) * 60;
const seed = Number(options.seed);
if (!(seconds > 0) || !Number.isInteger(seed)) {
  console.error("--minutes needs a number above 0, --seed a whole number");
  process.exitCode = 2;
} else {
  const isGood = options.kills
    ? await kills(seconds, seed)
    : await (options.app ? app : load)(seconds, options.strict);
  if (!isGood) process.exitCode = 1;
}
