/**
 * `npm run fuzz -- [--target decoders|daemon|collector] [--cases N] [--seconds N] [--seed N]`: sends mutated frames and
 * batches through the readers, a daemon and a collector. What breaks one is written to test/fuzz-corpus, named by its
 * seed and case, and makes the exit code 1.
 */
import { parseArgs } from "node:util";
import { Cleanup } from "../support/cleanup.ts";
import { type CorpusKind, writeReproducer } from "./corpus.ts";
import { CaseMaker } from "./fuzz-case.ts";
import { fuzzDecoders } from "./fuzz-decoders.ts";
import { fuzzRealCollector, fuzzRealDaemon } from "./fuzz-programs.ts";

const TARGETS = ["decoders", "daemon", "collector"] as const;
type Target = (typeof TARGETS)[number];

interface Order {
  seed: number;
  cases: number;
  seconds: number;
}

let findings = 0;

function report(kind: CorpusKind, seed: number, index: number, bytes: Buffer, what: string): void {
  findings++;
  console.log(`FINDING ${kind} seed ${seed} case ${index}: ${what}`);
  console.log(`  kept as ${writeReproducer(kind, seed, index, bytes)}`);
}

const RUNS: Record<Target, (order: Order) => Promise<object>> = {
  decoders: async ({ seed, cases, seconds }) => {
    const result = await fuzzDecoders(seed, cases, seconds);
    const maker = new CaseMaker(seed);
    for (const { index, kind, what } of result.findings) {
      if (index >= 0) report(kind, seed, index, maker.make(index).bytes, what);
      else console.log(`FINDING in the corpus: ${what} (${++findings})`);
    }
    return { cases: result.cases };
  },
  daemon: (order) =>
    withCleanup(async (cleanup) => {
      const { lastCases, failure, ...result } = await fuzzRealDaemon(cleanup, { ...order, peers: 32 });
      if (failure !== "") report("frames", order.seed, result.cases, Buffer.concat(lastCases), failure);
      return result;
    }),
  collector: (order) =>
    withCleanup(async (cleanup) => {
      const { findings: found, ...result } = await fuzzRealCollector(cleanup, order);
      for (const { index, bytes, what } of found) report("batches", order.seed, index, bytes, what);
      return result;
    }),
};

/** What goes wrong while cleaning up must not hide what went wrong before. */
async function withCleanup(run: (cleanup: Cleanup) => Promise<object>): Promise<object> {
  const cleanup = new Cleanup();
  try {
    return await run(cleanup);
  } catch (error) {
    console.log(`FINDING (${++findings}): ${String(error)}`);
    return {};
  } finally {
    await cleanup.run();
  }
}

const { values } = parseArgs({
  options: {
    target: { type: "string" },
    cases: { type: "string" },
    seconds: { type: "string" },
    seed: { type: "string" },
  },
});
const targets = TARGETS.filter((target) => values.target === undefined || values.target === target);
if (targets.length === 0) {
  console.error(`--target must be one of ${TARGETS.join(", ")}`);
  process.exit(2);
}
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const cases = Number(values.cases ?? 1_000_000);
const seconds = Number(values.seconds ?? 600) / targets.length;
for (const target of targets) {
  const startMs = performance.now();
  const result = await RUNS[target]({ seed, cases, seconds });
  const tookSeconds = Math.round((performance.now() - startMs) / 1_000);
  console.log(JSON.stringify({ target, seed, tookSeconds, ...result }));
}
process.exitCode = findings === 0 ? 0 : 1;
