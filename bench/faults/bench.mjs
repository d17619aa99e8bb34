// Runs the promises of "nothing lost" with figures, and prints a table of them:
//   npm run bench -- faults [--kills 200] [--only R2,R7] [--seed N] [--markdown]
// --kills is for the daemon; the collector gets half as many, both together a quarter. What was measured is kept in
// bench/results/faults.json, row by row, so that --only renews its rows alone; --markdown prints that file's table, runs nothing.
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { killEntries } from "./kills.mjs";
import { markdownTable, textTable } from "./result-table.mjs";
import { testEntries } from "./test-entries.mjs";

const RESULTS = fileURLToPath(new URL("../results/faults.json", import.meta.url));
const { values: options } = parseArgs({
  options: {
    kills: { type: "string", default: "200" },
    only: { type: "string" },
    seed: { type: "string", default: "1" },
    markdown: { type: "boolean", default: false },
  },
});

/** Other files of this folder add rows by an exported list `entries`. */
async function furtherEntries() {
  const own = ["bench.mjs", "kills.mjs", "result-table.mjs", "test-entries.mjs"];
  const names = readdirSync(new URL(".", import.meta.url)).filter(
    (name) => name.endsWith(".mjs") && !own.includes(name),
  );
  const modules = await Promise.all(names.map((name) => import(new URL(name, import.meta.url).href)));
  return modules.flatMap(({ entries }) => entries ?? []);
}

function readResults() {
  try {
    return JSON.parse(readFileSync(RESULTS, "utf8"));
  } catch {
    return [];
  }
}

/** Replaces the rows that were measured again; the file is whole at any time. */
function keep(rows) {
  const isNew = (old) =>
    !rows.some(({ promise, method }) => promise === old.promise && method === old.method);
  const byPromise = (a, b) => Number(a.promise.slice(1)) - Number(b.promise.slice(1));
  const all = [...readResults().filter(isNew), ...rows].sort(byPromise);
  mkdirSync(new URL("../results/", import.meta.url), { recursive: true });
  writeFileSync(`${RESULTS}.tmp`, `${JSON.stringify(all, null, 2)}\n`);
  renameSync(`${RESULTS}.tmp`, RESULTS);
}

async function measure({ promise, method, run }) {
  const startedMs = performance.now();
  const say = (sentence) => console.log(`${promise}  ${sentence}`);
  let result;
  try {
    result = await run(say);
  } catch (error) {
    result = { runs: 0, failures: [error instanceof Error ? error.message : String(error)] };
  }
  return {
    promise,
    method,
    lost: null,
    doubled: null,
    recoverMs: null,
    failures: [],
    ...result,
    seconds: Math.round((performance.now() - startedMs) / 1_000),
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} x ${cpus()[0]?.model ?? "unknown"}, node ${process.versions.node}`,
  };
}

if (options.markdown) {
  console.log(markdownTable(readResults()));
  process.exit(0);
}
const kills = Number(options.kills);
const seed = Number(options.seed);
if (!Number.isInteger(kills) || kills < 1 || !Number.isInteger(seed)) {
  console.error("--kills needs a whole number of at least 1, --seed a whole number");
  process.exit(2);
}
const measured = [...killEntries({ kills, seed }), ...(await furtherEntries())];
const entries = [...measured, ...testEntries(new Set(measured.map(({ promise }) => promise)))];
const only = options.only?.toUpperCase().split(",");
const chosen = only === undefined ? entries : entries.filter(({ promise }) => only.includes(promise));
if (chosen.length === 0) {
  const known = [...new Set(entries.map(({ promise }) => promise))].join(", ");
  console.error(`nothing to run for --only ${options.only}: there are ${known}`);
  process.exit(2);
}
const rows = [];
for (const entry of chosen) {
  console.log(`${entry.promise}  ${entry.method}`);
  rows.push(await measure(entry));
  keep(rows);
}
console.log(`\n${textTable(rows)}`);
for (const { promise, failures } of rows)
  for (const failure of failures) console.log(`${promise}  ${failure}`);
const isBroken = ({ lost, doubled, failures }) => lost > 0 || doubled > 0 || failures.length > 0;
process.exit(rows.some(isBroken) ? 1 : 0);
