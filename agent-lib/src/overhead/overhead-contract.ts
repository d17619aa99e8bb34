/**
 * The agent's promise to cost the app little: it estimates its own processor time, compares it once a second with that of the
 * whole process, and records less while it is above the budget.
 *
 *   everything        all spans
 *   errors_and_slow   requests, and of the spans below them those that failed or were slow
 *   requests          requests alone; calls of databases and caches are not even made into spans
 *
 * A step down needs the budget to be exceeded for STEP_DOWN_SECONDS in a row, a step up the estimate for everything to be well
 * below it for STEP_UP_SECONDS: the estimate always is what recording everything would cost now, also while less is recorded.
 * What is not recorded counts as created and as dropped, reason "agent_overhead": completeness shows it.
 *
 * The estimate: every SAMPLE_EVERYth span is timed while it is encoded, the part that can be timed from inside. The rest (its
 * start, its attributes, its context, the hooks around it) takes a multiple of that on any machine; the multiples come from
 * `npm run bench -- agent`. What is sent is timed as a whole.
 */
import { RECORDING_LEVELS as LEVELS, type RecordingLevel } from "@apm-daemon/protocol";

export interface ProcessorTime {
  readonly user: number;
  readonly system: number;
}

export interface OverheadContractOptions {
  /** Processor time of this process since its start, in µs, as of process.cpuUsage(). */
  readonly cpuUsage: () => ProcessorTime;
  readonly monoMs: () => number;
  readonly onStep: (level: RecordingLevel, agentRatio: number) => void;
}

const SAMPLE_EVERY = 64;
/** Encoding is about a quarter of what a span below a request costs, and a tenth of what a request does. */
const CHILD_TIMES = 4;
const REQUEST_TIMES = 10;
/** Until the first sample: about what encoding takes on a server of today. */
const FIRST_ENCODE_US = 0.4;
const SAMPLE_WEIGHT = 0.1;
/** The clock goes on while the system lets another process run: beyond these a sample says more of it than of the agent. */
const MOST_TIMES_AT_ONCE = 2;
const MOST_SENDING_MS = 1;
/** Less than this share of a core is never too much, however little the app does. */
const FREE_CORE_RATIO = 0.02;
const STEP_DOWN_SECONDS = 5;
const STEP_UP_SECONDS = 30;
const STEP_UP_BELOW = 0.7;

export class OverheadContract {
  readonly #options: OverheadContractOptions;
  /** Most share of the process's processor time; 0: without limit. */
  budgetRatio = 0;
  #step = 0;
  #encodeUs = FIRST_ENCODE_US;
  #untilSample = SAMPLE_EVERY;
  #requests = 0;
  #children = 0;
  #sendingMs = 0;
  #secondsAbove = 0;
  #secondsBelow = 0;
  #agentRatio = 0;
  #cpuUs: number;
  #atMs: number;

  constructor(options: OverheadContractOptions) {
    this.#options = options;
    this.#cpuUs = cpuUs(options);
    this.#atMs = options.monoMs();
  }

  get level(): RecordingLevel {
    return LEVELS[this.#step] as RecordingLevel;
  }

  /** What recording everything costs, as a share of the process's processor time, in the last second. */
  get agentRatio(): number {
    return this.#agentRatio;
  }

  /** Whether calls below a request become spans at all. */
  get makesCalls(): boolean {
    return this.#step < 2;
  }

  /** Counts a span that would be recorded; true when it is the one to be timed. */
  note(isRequest: boolean): boolean {
    if (isRequest) this.#requests++;
    else this.#children++;
    if (--this.#untilSample > 0) return false;
    this.#untilSample = SAMPLE_EVERY;
    return true;
  }

  /** Whether a span that has ended is recorded. */
  keeps(isRequest: boolean, isErrorOrSlow: boolean): boolean {
    return this.#step === 0 || isRequest || (this.#step === 1 && isErrorOrSlow);
  }

  noteEncoding(ms: number): void {
    const sampleUs = Math.min(ms * 1_000, this.#encodeUs * MOST_TIMES_AT_ONCE);
    this.#encodeUs += (sampleUs - this.#encodeUs) * SAMPLE_WEIGHT;
  }

  noteSending(ms: number): void {
    this.#sendingMs += Math.min(ms, MOST_SENDING_MS);
  }

  /** To be called about once a second. */
  second(): void {
    const nowMs = this.#options.monoMs();
    const processUs = cpuUs(this.#options) - this.#cpuUs;
    const elapsedMs = nowMs - this.#atMs;
    const spansUs = (this.#children * CHILD_TIMES + this.#requests * REQUEST_TIMES) * this.#encodeUs;
    const agentUs = spansUs + this.#sendingMs * 1_000;
    this.#cpuUs += processUs;
    this.#atMs = nowMs;
    this.#requests = 0;
    this.#children = 0;
    this.#sendingMs = 0;
    if (elapsedMs <= 0 || processUs <= 0) return;
    this.#agentRatio = Math.min(1, agentUs / processUs);
    this.#judge(agentUs / 1_000 / elapsedMs);
  }

  #judge(coreRatio: number): void {
    const { budgetRatio } = this;
    const isLimited = budgetRatio > 0 && coreRatio > FREE_CORE_RATIO;
    const isAbove = isLimited && this.#agentRatio > budgetRatio;
    const isBelow = !isLimited || this.#agentRatio < budgetRatio * STEP_UP_BELOW;
    this.#secondsAbove = isAbove ? this.#secondsAbove + 1 : 0;
    this.#secondsBelow = isBelow ? this.#secondsBelow + 1 : 0;
    if (this.#secondsAbove >= STEP_DOWN_SECONDS && this.#step < LEVELS.length - 1) this.#take(1);
    else if (this.#step > 0 && (budgetRatio === 0 || this.#secondsBelow >= STEP_UP_SECONDS)) this.#take(-1);
  }

  #take(step: 1 | -1): void {
    this.#step += step;
    this.#secondsAbove = 0;
    this.#secondsBelow = 0;
    this.#options.onStep(this.level, this.#agentRatio);
  }
}

function cpuUs({ cpuUsage }: OverheadContractOptions): number {
  const { user, system } = cpuUsage();
  return user + system;
}
