import type { KeepReason, TraceSummary } from "@apm-daemon/protocol";

export interface TraceKeeperOptions {
  keep: "sampled" | "all";
  errorsPerAction: number;
  slowestPerAction: number;
  /** Of those that repeat a call, see RepeatedCalls. */
  repeatsPerAction: number;
  randomPerAction: number;
  /** How long a request of an app takes that is slow in any case; infinite when there is no such time. */
  slowUs: (app: string) => number;
  /** 0 ≤ random() < 1. */
  random: () => number;
}

/** A finished request that may be worth keeping; `summarise` is called only if it is. */
export interface TraceCandidate {
  app: string;
  action: string;
  isError: boolean;
  durationUs: number;
  positions: readonly number[];
  /** Asked only while the action has room for one more that is kept for it. */
  hasRepeat(): boolean;
  summarise(reason: KeepReason): TraceSummary;
}

/** A trace to keep, and the journal positions of the frames that hold its spans. */
export interface KeptTrace {
  summary: TraceSummary;
  positions: readonly number[];
}

/** Slow in any case, of one action; when all of its requests are, more of them say nothing new. */
const MAX_SLOW_PER_ACTION = 10;
/** Traces of one batch at most; the rest is counted as passed over, not as lost: its spans are counted all the same. */
const MAX_TRACES_PER_BATCH = 2_000;
/** Spans kept of one trace at most; what is beyond stays in the journal only. */
export const MAX_SPANS_PER_TRACE = 2_000;
/** Spans of one batch at most: they are all in memory while it is sealed. */
const MAX_SPANS_PER_BATCH = 100_000;

/**
 * Decides at a request's end whether its spans are kept: the first errors, the slowest, the first that repeat a call, and a fair
 * random sample (reservoir sampling, Vitter's algorithm R) of each action between two seals.
 */
export class TraceKeeper {
  readonly #options: TraceKeeperOptions;
  readonly #actions = new Map<string, ActionSample>();
  /** Traces chosen but left out because a batch was full, since start. */
  passedOver = 0;

  constructor(options: TraceKeeperOptions) {
    this.#options = options;
  }

  offer(candidate: TraceCandidate): void {
    const key = `${candidate.app}\n${candidate.action}`;
    let sample = this.#actions.get(key);
    if (sample === undefined) {
      sample = new ActionSample(this.#options, this.#options.slowUs(candidate.app));
      this.#actions.set(key, sample);
    }
    sample.offer(candidate);
  }

  /** Ends the interval: what is kept, errors first. */
  drain(): KeptTrace[] {
    const chosen = [...this.#actions.values()].flatMap((sample) => sample.kept());
    this.#actions.clear();
    const kept: KeptTrace[] = [];
    let spans = 0;
    for (const trace of chosen.sort((a, b) => rank(a) - rank(b))) {
      if (kept.length >= MAX_TRACES_PER_BATCH || spans >= MAX_SPANS_PER_BATCH) break;
      spans += Math.min(trace.summary.spans, MAX_SPANS_PER_TRACE);
      kept.push(trace);
    }
    this.passedOver += chosen.length - kept.length;
    return kept;
  }
}

class ActionSample {
  readonly #options: TraceKeeperOptions;
  readonly #slowUs: number;
  readonly #errors: KeptTrace[] = [];
  /** Ascending by duration. */
  readonly #slowest: KeptTrace[] = [];
  readonly #repeats: KeptTrace[] = [];
  readonly #random: KeptTrace[] = [];
  #sampled = 0;

  constructor(options: TraceKeeperOptions, slowUs: number) {
    this.#options = options;
    this.#slowUs = slowUs;
  }

  offer(candidate: TraceCandidate): void {
    const { errorsPerAction, repeatsPerAction, randomPerAction, keep, random } = this.#options;
    if (keep === "all") {
      if (this.#random.length < MAX_TRACES_PER_BATCH)
        this.#random.push(keptAs(candidate, this.#reasonOf(candidate)));
      return;
    }
    if (candidate.isError && this.#errors.length < errorsPerAction) {
      this.#errors.push(keptAs(candidate, "error"));
      return;
    }
    this.#sampled++;
    if (this.#random.length < randomPerAction) this.#random.push(keptAs(candidate, "random"));
    else {
      const place = Math.floor(random() * this.#sampled);
      if (place < randomPerAction) this.#random[place] = keptAs(candidate, "random");
    }
    this.#offerSlow(candidate);
    if (this.#repeats.length < repeatsPerAction && candidate.hasRepeat())
      this.#repeats.push(keptAs(candidate, "n_plus_one"));
  }

  kept(): KeptTrace[] {
    const byRoot = new Map<string, KeptTrace>();
    for (const trace of [...this.#errors, ...this.#slowest, ...this.#repeats, ...this.#random]) {
      if (!byRoot.has(trace.summary.rootSpanId)) byRoot.set(trace.summary.rootSpanId, trace);
    }
    return [...byRoot.values()];
  }

  #reasonOf({ isError, durationUs }: TraceCandidate): KeepReason {
    if (isError) return "error";
    return durationUs >= this.#slowUs ? "slow" : "random";
  }

  #offerSlow(candidate: TraceCandidate): void {
    const { slowestPerAction } = this.#options;
    const slowest = this.#slowest;
    const isSlow = candidate.durationUs >= this.#slowUs;
    const room = isSlow ? Math.max(slowestPerAction, MAX_SLOW_PER_ACTION) : slowestPerAction;
    if (room === 0) return;
    const fastestUs = slowest[0]?.summary.durationUs ?? 0;
    if (slowest.length >= room) {
      if (candidate.durationUs <= fastestUs) return;
      slowest.shift();
    } else if (slowest.length >= slowestPerAction && fastestUs < this.#slowUs) slowest.shift();
    const place = slowest.findIndex((trace) => trace.summary.durationUs > candidate.durationUs);
    slowest.splice(place === -1 ? slowest.length : place, 0, keptAs(candidate, "slow"));
  }
}

function keptAs(candidate: TraceCandidate, reason: KeepReason): KeptTrace {
  return { summary: candidate.summarise(reason), positions: candidate.positions };
}

const RANKS: Readonly<Record<KeepReason, number>> = { error: 0, slow: 1, n_plus_one: 2, random: 3 };

function rank(trace: KeptTrace): number {
  return RANKS[trace.summary.reason];
}
