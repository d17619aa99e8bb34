/**
 * Fetches a trace from the journals of all hosts that are connected, kept or not, and stores what came: so the page of a
 * trace that somebody looked at can be opened again later. Only rows of traces are written, so nothing is counted twice:
 * counters have rows of their own. A part that is stored already is stored again only if more of it came.
 */
import {
  type AskedHost,
  type FetchedTraceAnswer,
  type TracePart,
  wholeTraceAnswer,
} from "@apm-daemon/protocol";
import type { Logger } from "pino";
import type { Store } from "../store/store.ts";
import type { DaemonAnswer } from "./daemon-answer.ts";
import type { DaemonQuestions } from "./daemon-questions.ts";

export interface TraceFetchOptions {
  store: Pick<Store, "traces" | "hosts" | "addTraceParts">;
  questions: DaemonQuestions;
  clock: () => number;
  log: Logger;
}

/** `trace` is null when nobody has any of it. */
export interface FetchOutcome {
  trace: FetchedTraceAnswer | null;
  hosts: AskedHost[];
}

/** Each makes every host search its journal. */
const MAX_RUNNING = 10;
/** A host that was not heard of for longer is no longer expected to answer. */
export const EXPECTED_MS = 86_400_000;

export class TooManyFetches extends Error {
  constructor() {
    super(`${MAX_RUNNING} questions to the hosts are open at this moment; try again in a second`);
    this.name = "TooManyFetches";
  }
}

export class TraceFetch {
  readonly #options: TraceFetchOptions;
  readonly #running = new Map<string, Promise<FetchOutcome>>();

  constructor(options: TraceFetchOptions) {
    this.#options = options;
  }

  /** Who asks for a trace that is being fetched gets that answer. Rejects with TooManyFetches or StoreError. */
  fetch(traceId: string, deadlineMs: number): Promise<FetchOutcome> {
    const running = this.#running.get(traceId);
    if (running !== undefined) return running;
    if (this.#running.size >= MAX_RUNNING) return Promise.reject(new TooManyFetches());
    const outcome = this.#fetch(traceId, deadlineMs).finally(() => this.#running.delete(traceId));
    this.#running.set(traceId, outcome);
    return outcome;
  }

  async #fetch(traceId: string, deadlineMs: number): Promise<FetchOutcome> {
    const { store, questions } = this.#options;
    const connected = questions.hosts();
    const [answers, kept, known] = await Promise.all([
      questions.ask(traceId, deadlineMs),
      store.traces.parts(traceId),
      store.hosts.all(),
    ]);
    const { parts, fresh } = mergeParts(
      kept,
      answers.flatMap((answer) => answer.parts),
    );
    const stored = await this.#keep(fresh);
    const nowMs = this.#options.clock();
    const offline = known.filter(
      ({ host, lastSeenUnixMs }) => !connected.has(host) && nowMs - lastSeenUnixMs <= EXPECTED_MS,
    );
    const [first, ...others] = parts;
    const hosts = [
      ...askedHosts(answers, first?.startUnixMs ?? null, nowMs),
      ...offline.map(({ host, lastSeenUnixMs }) => offlineHost(host, lastSeenUnixMs)),
    ].sort((a, b) => (a.host < b.host ? -1 : 1));
    if (first === undefined) return { trace: null, hosts };
    return { trace: { ...wholeTraceAnswer(traceId, [first, ...others]), hosts, stored }, hosts };
  }

  /** Whether all is stored now. */
  async #keep(parts: readonly TracePart[]): Promise<boolean> {
    if (parts.length === 0) return true;
    try {
      await this.#options.store.addTraceParts(parts);
      return true;
    } catch (error) {
      this.#options.log.warn(
        { err: error },
        "a trace that was fetched from the hosts could not be stored; it is shown all the same",
      );
      return false;
    }
  }
}

/** One part for each local root, by start: of two, the one with more spans; `fresh` are those that are not stored. */
function mergeParts(
  kept: readonly TracePart[],
  fetched: readonly TracePart[],
): { parts: TracePart[]; fresh: TracePart[] } {
  const best = new Map<string, TracePart>();
  for (const part of [...kept, ...fetched]) {
    const known = best.get(part.rootSpanId);
    if (known === undefined || part.spans > known.spans) best.set(part.rootSpanId, part);
  }
  const parts = [...best.values()].sort((a, b) => a.startUnixMs - b.startUnixMs);
  const isKept = new Set(kept);
  return { parts, fresh: parts.filter((part) => !isKept.has(part)) };
}

/** Two daemons that call their host the same are shown as one, with the better of their answers. */
function askedHosts(
  answers: readonly DaemonAnswer[],
  traceStartMs: number | null,
  nowMs: number,
): AskedHost[] {
  const hosts = new Map<string, AskedHost>();
  for (const answer of answers) {
    const { host, parts, oldestUnixMs, gap } = answer;
    const spans = parts.reduce((sum, part) => sum + part.spans, 0);
    const asked: AskedHost = {
      host,
      state: stateOf(answer, traceStartMs),
      spans,
      oldestUnixMs,
      lastSeenUnixMs: nowMs,
      gap,
    };
    const other = hosts.get(host);
    if (other === undefined || asked.spans > other.spans) hosts.set(host, asked);
  }
  return [...hosts.values()];
}

function stateOf(answer: DaemonAnswer, traceStartMs: number | null): AskedHost["state"] {
  if (answer.parts.length > 0) return "found";
  if (answer.state !== "answered") return answer.state;
  const { oldestUnixMs } = answer;
  const isPast = traceStartMs !== null && oldestUnixMs !== null && oldestUnixMs > traceStartMs;
  return isPast ? "past_ring" : "nothing";
}

function offlineHost(host: string, lastSeenUnixMs: number): AskedHost {
  return { host, state: "offline", spans: 0, oldestUnixMs: null, lastSeenUnixMs, gap: "" };
}
