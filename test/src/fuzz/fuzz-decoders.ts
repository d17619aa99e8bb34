import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { DecoderFinding, DecoderFuzzOrder } from "./decoder-fuzz-worker.ts";
import { CaseMaker } from "./fuzz-case.ts";

export interface DecoderFuzzResult {
  cases: number;
  findings: DecoderFinding[];
}

const WORKER = fileURLToPath(new URL("./decoder-fuzz-worker.js", import.meta.url));
/** Enough for what readers need at their limits; a reader that needs more is a finding. */
const MAX_HEAP_MB = 384;
const HANGS_AFTER_MS = 30_000;
const MAX_FINDINGS = 20;

/** Sends cases through every reader, in a thread. What breaks that thread itself is found too, and the rest goes on. */
export async function fuzzDecoders(seed: number, cases: number, seconds: number): Promise<DecoderFuzzResult> {
  const findings: DecoderFinding[] = [];
  const endMs = performance.now() + seconds * 1_000;
  let from = 0;
  while (from < cases && findings.length < MAX_FINDINGS) {
    const leftSeconds = (endMs - performance.now()) / 1_000;
    if (leftSeconds <= 0) break;
    const progress = new SharedArrayBuffer(4);
    const broke = await runWorker(
      { seed, from, cases: cases - from, seconds: leftSeconds, progress },
      findings,
    );
    const at = new Int32Array(progress)[0] ?? 0;
    if (broke !== null)
      findings.push({ index: at, kind: new CaseMaker(seed).make(Math.max(0, at)).kind, what: broke });
    from = Math.max(0, at) + 1;
    if (broke === null) break;
  }
  return { cases: from, findings };
}

/** Resolves when the thread has ended: null when it ended by itself, else what broke it. */
function runWorker(order: DecoderFuzzOrder, findings: DecoderFinding[]): Promise<string | null> {
  const worker = new Worker(WORKER, {
    workerData: order,
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  });
  const progress = new Int32Array(order.progress);
  return new Promise((resolve) => {
    let broke: string | null = null;
    let last = progress[0];
    const timer = setInterval(() => {
      if (progress[0] === last) {
        broke = `it had not ended after ${HANGS_AFTER_MS / 1_000} s`;
        void worker.terminate();
      }
      last = progress[0];
    }, HANGS_AFTER_MS);
    worker.on("message", (finding: DecoderFinding) => findings.push(finding));
    worker.on("error", (error) => {
      broke = error.message;
    });
    worker.on("exit", () => {
      clearInterval(timer);
      resolve(broke);
    });
  });
}
