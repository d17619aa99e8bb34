import type { BatchRun } from "@apm-daemon/protocol";

/** They travel with every seal. Batches go oldest first, so one run holds a whole outage. */
const MAX_RUNS = 64;

/** A set of batch numbers as ascending runs that neither touch nor overlap. Beyond MAX_RUNS the run with the lowest numbers is forgotten. */
export class BatchRuns {
  #runs: BatchRun[];

  constructor(runs: readonly BatchRun[] = []) {
    this.#runs = runs.map((run) => ({ ...run }));
  }

  has(number: number): boolean {
    return this.#runs.some(({ first, last }) => number >= first && number <= last);
  }

  /** Whether it is in there, or may have been forgotten. */
  knows(number: number): boolean {
    return this.has(number) || (this.#runs.length === MAX_RUNS && number < (this.#runs[0]?.first ?? 0));
  }

  add(number: number): void {
    if (this.has(number)) return;
    const before = this.#runs.filter(({ last }) => last < number - 1);
    const after = this.#runs.filter(({ first }) => first > number + 1);
    const touching = this.#runs.slice(before.length, this.#runs.length - after.length);
    const joined = {
      first: Math.min(number, ...touching.map(({ first }) => first)),
      last: Math.max(number, ...touching.map(({ last }) => last)),
    };
    this.#runs = [...before, joined, ...after].slice(-MAX_RUNS);
  }

  runs(): BatchRun[] {
    return this.#runs.map((run) => ({ ...run }));
  }
}
