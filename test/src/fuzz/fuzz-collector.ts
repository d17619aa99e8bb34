import { encodeBatch, type UplinkAck, type UplinkNack } from "@apm-daemon/protocol";
import type { UplinkSocket } from "../support/uplink-socket.ts";
import { isWellFormed, readCorpus } from "./corpus.ts";
import { mutateBatch, renumber } from "./mutate-batch.ts";
import { SeededRandom } from "./random.ts";
import { fullBatchHeader } from "./sample-parts.ts";

export interface CollectorFuzzOptions {
  /** After its hello was answered. */
  open: () => Promise<UplinkSocket>;
  seed: number;
  cases: number;
  seconds: number;
  isAlive: () => boolean;
}

export interface CollectorFuzzResult {
  cases: number;
  acks: number;
  nacks: Record<string, number>;
  /** Well-formed batches sent among the others, all acknowledged. */
  good: number;
  findings: { index: number; bytes: Buffer; what: string }[];
}

const CASES_PER_GOOD_BATCH = 100;
const GOOD_STREAM = "6f1c2a50-8f4e-4b7a-9c1d-2e3f40516273";
/** The collector may not be able to; then it says so, and it is not the batch's fault. */
const PASSING: readonly string[] = ["OVERLOADED", "DISK_LOW"];

/** Sends a collector mutated batches, one by one: each has one answer, and bytes that pass its checks must be storable. */
export async function fuzzCollector(options: CollectorFuzzOptions): Promise<CollectorFuzzResult> {
  const batches = readCorpus("batches").filter(isWellFormed);
  const result: CollectorFuzzResult = { cases: 0, acks: 0, nacks: {}, good: 0, findings: [] };
  const endMs = performance.now() + options.seconds * 1_000;
  const socket = await options.open();
  for (let index = 0; index < options.cases && performance.now() < endMs && options.isAlive(); index++) {
    const random = new SeededRandom(options.seed, index);
    const fresh = renumber(random.pick(batches).bytes, index + 1);
    const bytes = mutateBatch(fresh, random, random.pick(batches).bytes);
    socket.send(bytes);
    const answer = await nextAnswer(socket);
    result.cases++;
    if (answer.type === "ack") result.acks++;
    else {
      result.nacks[answer.code] = (result.nacks[answer.code] ?? 0) + 1;
      if (!answer.permanent && !PASSING.includes(answer.code))
        result.findings.push({ index, bytes, what: `${answer.code}: ${answer.message}` });
    }
    if (index % CASES_PER_GOOD_BATCH === 0) await sendGood(socket, result);
  }
  return result;
}

async function sendGood(socket: UplinkSocket, result: CollectorFuzzResult): Promise<void> {
  const number = ++result.good;
  const header = { ...fullBatchHeader(), stream: GOOD_STREAM, number, traces: [] };
  socket.send(encodeBatch({ header, frames: [] }, "gzip"));
  const answer = await nextAnswer(socket);
  if (answer.type !== "ack")
    throw new Error(`a well-formed batch was answered with ${JSON.stringify(answer)}`);
}

async function nextAnswer(socket: UplinkSocket): Promise<UplinkAck | UplinkNack> {
  const giveUpMs = performance.now() + 30_000;
  for (;;) {
    const answer = socket.received.shift();
    if (answer?.type === "ack" || answer?.type === "nack") return answer;
    if (answer !== undefined) continue;
    if (!socket.isOpen) throw new Error("the collector closed the uplink");
    if (performance.now() > giveUpMs) throw new Error("a batch was not answered within 30 s");
    await new Promise((resolve) => setImmediate(resolve));
  }
}
