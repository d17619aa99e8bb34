import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { invoiceVisit, nextVisit, oneOfEach, type Visit } from "./visit.ts";

/** So many that each page shows life within a minute, and so few that nobody's laptop gets warm. */
const REQUESTS_PER_SECOND = 2;
/** A shop that answers this few waits no longer for more visitors: they wait for it. */
const MOST_AT_ONCE = 40;
const FIRST_INVOICE_MS = 15_000;
/** Seldom enough that it is not usual: then the console says why the requests of that second were slow. */
const INVOICE_EVERY_MS = 180_000;

/** Visits the shop at random intervals until it is told to stop. A visit that fails is the shop's matter. */
export class Visitors {
  readonly #shopUrl: string;
  readonly #stopped = new AbortController();
  readonly #connections = new Agent({ keepAlive: true });
  readonly #visiting = new Set<Promise<void>>();

  constructor(shopUrl: string) {
    this.#shopUrl = shopUrl;
  }

  /** Resolves after `stop`. */
  async come(): Promise<void> {
    const { signal } = this.#stopped;
    let invoiceMonoMs = performance.now() + FIRST_INVOICE_MS;
    const firstVisits = oneOfEach();
    while (!signal.aborted) {
      await sleep(untilNextMs(), undefined, { signal }).catch(() => {});
      if (this.#visiting.size >= MOST_AT_ONCE) await Promise.race(this.#visiting);
      const isInvoice = performance.now() >= invoiceMonoMs;
      if (isInvoice) invoiceMonoMs = performance.now() + INVOICE_EVERY_MS;
      if (!signal.aborted)
        this.#start(isInvoice ? invoiceVisit() : (firstVisits.pop() ?? nextVisit(Math.random())));
    }
  }

  /** Visits under way are broken off. */
  stop(): void {
    this.#stopped.abort();
    this.#connections.destroy();
  }

  #start(visit: Visit): void {
    const visiting = this.#make(visit).finally(() => this.#visiting.delete(visiting));
    this.#visiting.add(visiting);
  }

  /** Resolves when the answer has been read, or there will be none. */
  #make({ method, path, body }: Visit): Promise<void> {
    return new Promise((resolve) => {
      const headers = body === undefined ? {} : { "content-type": "application/json" };
      const asked = request(this.#shopUrl + path, { method, headers, agent: this.#connections });
      asked.on("error", () => resolve());
      asked.on("response", (response) => response.resume().on("close", () => resolve()));
      asked.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}

/** As they come who know nothing of each other: exponentially distributed. */
function untilNextMs(): number {
  return (-Math.log(1 - Math.random()) * 1_000) / REQUESTS_PER_SECOND;
}
