import { askedByNobody } from "../asker.ts";
import type { ReceivedBatch } from "../batch-rows.ts";

interface Reported {
  /** When the batch was sealed that reported it. */
  atSec: number;
  apdexTMs: number;
}

/** The newest Apdex T of each app: what is stored is looked through once, what comes is noted. */
export class ApdexThresholds {
  readonly #newest: Map<string, Reported> = new Map();
  readonly #find: () => Promise<readonly (Reported & { app: string })[]>;
  #found: Promise<void> | null = null;

  /** `find` answers what is stored. */
  constructor(find: () => Promise<readonly (Reported & { app: string })[]>) {
    this.#find = find;
  }

  /** By app, in ms. Rejects as `find` does, which is asked again then. */
  async all(): Promise<ReadonlyMap<string, number>> {
    this.#found ??= this.#learn().catch((error: unknown) => {
      this.#found = null;
      throw error;
    });
    await this.#found;
    return new Map([...this.#newest].map(([app, { apdexTMs }]) => [app, apdexTMs]));
  }

  /** Call it when the batch is stored. */
  note({ batch }: ReceivedBatch): void {
    const atSec = Math.floor(batch.header.createdUnixMs / 1000);
    for (const { app, apdexTMs } of batch.header.apps) this.#add(app, { atSec, apdexTMs });
  }

  async #learn(): Promise<void> {
    for (const { app, ...reported } of await askedByNobody(this.#find)) this.#add(app, reported);
  }

  #add(name: string, reported: Reported): void {
    // As it is stored: UTF-8 has no half of a surrogate pair.
    const app = Buffer.from(name).toString();
    if (reported.atSec >= (this.#newest.get(app)?.atSec ?? 0)) this.#newest.set(app, reported);
  }
}
