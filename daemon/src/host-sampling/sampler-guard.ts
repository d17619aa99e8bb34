// Keeps one part of the sampling from stopping the others, and says which part fails and why.
//
// A part fails when it throws, when the system refuses one of its files, when a file that was there has gone, or when no number is
// found in one. What the kernel never had (PSI on an old one) is no failure: it is absent. A failing part's values are null, and
// it is asked again each second; a file that cannot be opened is tried again once a minute.

import type { FailingSampler } from "@apm-daemon/protocol";
import type { ProcFile } from "./proc-scanner.ts";

/** A part of the host's sampling, and the files that it lives on. */
export interface SamplerPart {
  readonly files: readonly ProcFile[];
  sample(elapsedSec: number): object;
}

export class SamplerGuard {
  readonly #failing: Map<string, string> = new Map();
  readonly #columns: Map<string, readonly string[]> = new Map();

  /** Those that fail now. */
  get failing(): FailingSampler[] {
    return [...this.#failing].map(([sampler, problem]) => ({ sampler, problem }));
  }

  /** Writes the values of a part into `into`; nulls when it throws. */
  sample(name: string, part: SamplerPart, elapsedSec: number, into: Record<string, number | null>): void {
    try {
      const values = part.sample(elapsedSec);
      Object.assign(into, values);
      if (!this.#columns.has(name)) this.#columns.set(name, Object.keys(values));
    } catch (error) {
      for (const column of this.#columns.get(name) ?? []) into[column] = null;
      this.#failing.set(name, thrownProblem(error));
      return;
    }
    const problem = part.files.find((file) => file.problem !== "")?.problem;
    if (problem === undefined) this.#failing.delete(name);
    else this.#failing.set(name, problem);
  }

  /** Runs a part that has no values of the second. */
  run(name: string, part: () => void): void {
    try {
      part();
      this.#failing.delete(name);
    } catch (error) {
      this.#failing.set(name, thrownProblem(error));
    }
  }
}

function thrownProblem(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const { code, path } = error as NodeJS.ErrnoException;
  if (code !== undefined && path !== undefined)
    return `${path} cannot be read (${code}), what it tells is missing and it is tried each second: let the daemon's user read it`;
  return `it failed (${message}), its numbers are missing and it is tried again each second: report this with the kernel's version (uname -r)`;
}
