/**
 * Answers for the spans of any request of the last minutes, kept or not, from the journal's ring.
 *
 *   asked ──► waiting (16 at most, else "busy") ──► searching (one at a time, in a thread of its own) ──► answered
 *                └── its deadline passes: answered with nothing, "deadline" ◄──┘
 *
 * There is no index: what costs nothing on the way in may cost a search of the whole ring when somebody asks. Never rejects;
 * an answer that may lack something says why. What an app has not sent yet is not in the ring.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Logger } from "pino";
import type { RingSegment } from "../journal/journal.ts";
import type { StatementTexts } from "../traces/span-statements.ts";
import type { RingAnswer, RingQuestion } from "./ring-search.ts";

export interface FlightRecorderOptions {
  journal: { ring(): RingSegment[] };
  log: Logger;
}

const MAX_WAITING = 16;
/** Starting the thread takes about that long, more on a busy host, and it is part of the time that was given. */
const START_MS = 50;
/** Who asked once often asks again; a thread without work costs some memory and nothing else. */
const IDLE_MS = 60_000;
const MIN_SEARCH_MS = 20;
/** A search that outgrows this ends with an error of its thread, not of the daemon. */
const MAX_HEAP_MB = 256;

export class FlightRecorder {
  readonly #options: FlightRecorderOptions;
  #lane: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #worker: Worker | null = null;
  #idle: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(options: FlightRecorderOptions) {
    this.#options = options;
  }

  /** The parts of some traces, within about `deadlineMs`. */
  async find(
    traceIds: readonly string[],
    deadlineMs: number,
    statementTexts: StatementTexts,
  ): Promise<RingAnswer> {
    if (this.#waiting > MAX_WAITING || this.#isStopped) return nothing("busy");
    this.#waiting++;
    const askedMs = performance.now();
    const turn = this.#lane.then(() => {
      const withinMs = deadlineMs - (performance.now() - askedMs) - START_MS;
      return this.#isStopped || withinMs < MIN_SEARCH_MS
        ? nothing("deadline")
        : this.#search({ traceIds, withinMs, statementTexts });
    });
    this.#lane = turn;
    try {
      return await turn;
    } finally {
      this.#waiting--;
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#endWorker();
  }

  async #search(asked: Omit<RingQuestion, "segments">): Promise<RingAnswer> {
    clearTimeout(this.#idle);
    const question: RingQuestion = { segments: this.#options.journal.ring(), ...asked };
    const worker = (this.#worker ??= this.#startWorker());
    const late = AbortSignal.timeout(Math.ceil(asked.withinMs + 2 * START_MS));
    const done = new AbortController();
    const signal = AbortSignal.any([late, done.signal]);
    worker.ref();
    try {
      const answered = once(worker, "message", { signal });
      const ended = once(worker, "exit", { signal }).then(() => [nothing("unreadable")]);
      worker.postMessage(question, []);
      const [answer] = (await Promise.race([answered, ended])) as [RingAnswer];
      this.#idle = setTimeout(() => void this.#endWorker(), IDLE_MS).unref();
      return answer;
    } catch (error) {
      // Whatever it still does is not waited for; the next question gets a new one.
      await this.#endWorker();
      if (late.aborted) return nothing("deadline");
      this.#options.log.warn({ err: error }, "a search of the journal for a trace failed");
      return nothing("unreadable");
    } finally {
      worker.unref();
      done.abort();
    }
  }

  #startWorker(): Worker {
    const worker = new Worker(new URL("./ring-search-worker.js", import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    });
    worker.once("exit", () => {
      if (this.#worker === worker) this.#worker = null;
    });
    return worker;
  }

  async #endWorker(): Promise<void> {
    clearTimeout(this.#idle);
    const worker = this.#worker;
    this.#worker = null;
    await worker?.terminate();
  }
}

function nothing(gap: RingAnswer["gap"]): RingAnswer {
  return { parts: [], oldestUnixMs: null, gap };
}
