/** Runs in a thread of its own, with little memory: a reader that hangs or eats memory must not take the fuzzer with it. */
import { parentPort, workerData } from "node:worker_threads";
import { CORPUS_KINDS, readCorpus } from "./corpus.ts";
import { DecoderTargets } from "./decoder-targets.ts";
import { CaseMaker, type FuzzCase } from "./fuzz-case.ts";
import { SeededRandom } from "./random.ts";

export interface DecoderFuzzOrder {
  seed: number;
  /** Cases `from`, `from` + 1, … up to this many. */
  from: number;
  cases: number;
  seconds: number;
  /** [0]: the case that runs now. */
  progress: SharedArrayBuffer;
}

export interface DecoderFinding {
  index: number;
  kind: FuzzCase["kind"];
  what: string;
}

/** A case that takes longer stops a daemon for that long. */
const MAX_CASE_MS = 1_000;

const order = workerData as DecoderFuzzOrder;
const progress = new Int32Array(order.progress);
const targets = new DecoderTargets();

function run({ kind, bytes, random }: FuzzCase): string | null {
  const before = process.cpuUsage();
  try {
    if (kind === "frames") targets.frames(bytes, random);
    else targets[kind](bytes);
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  // Time of the processor, not of the clock: another program's load is no finding.
  const { user, system } = process.cpuUsage(before);
  const tookMs = (user + system) / 1_000;
  return tookMs > MAX_CASE_MS ? `it took ${Math.round(tookMs)} ms of processor time` : null;
}

function tell(index: number, kind: FuzzCase["kind"], what: string): void {
  const finding: DecoderFinding = { index, kind, what };
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
  parentPort?.postMessage(finding);
}

/** What is in the corpus, as it is: numbered -1, -2, … */
function runCorpus(): void {
  let index = 0;
  for (const kind of CORPUS_KINDS) {
    for (const { name, bytes } of readCorpus(kind)) {
      progress[0] = --index;
      const what = run({ kind, bytes, random: new SeededRandom(order.seed, index) });
      if (what !== null) tell(index, kind, `${name}: ${what}`);
    }
  }
}

function runCases(): void {
  const maker = new CaseMaker(order.seed);
  const endMs = performance.now() + order.seconds * 1_000;
  for (let index = order.from; index < order.from + order.cases; index++) {
    if (index % 64 === 0 && performance.now() > endMs) break;
    progress[0] = index;
    const one = maker.make(index);
    const what = run(one);
    if (what !== null) tell(index, one.kind, what);
  }
}

if (order.from === 0) runCorpus();
runCases();
targets.close();
