import type { Store } from "../store/store.ts";
import type { DaemonQuestions } from "./daemon-questions.ts";
import { EXPECTED_MS, TooManyFetches } from "./trace-fetch.ts";

export interface TextFetchOptions {
  store: Pick<Store, "hosts">;
  questions: DaemonQuestions;
  clock: () => number;
}

export interface TextAskedHost {
  host: string;
  /** offline: seen in the last day, but not connected. silent: connected, no answer in time, as of an older daemon. */
  state: "found" | "nothing" | "silent" | "offline";
  lastSeenUnixMs: number;
}

export interface StatementTextAnswer {
  statement: string;
  /** The statement's beginning; null when no host knows it. */
  text: string | null;
  hosts: TextAskedHost[];
}

const MAX_RUNNING = 10;

/**
 * Asks the hosts for the text of a statement that they keep to themselves (settings.sql = "local"). It is passed on to who
 * asked and kept nowhere.
 */
export class TextFetch {
  readonly #options: TextFetchOptions;
  #running = 0;

  constructor(options: TextFetchOptions) {
    this.#options = options;
  }

  /** Rejects with TooManyFetches or StoreError. */
  async fetch(statement: string, deadlineMs: number): Promise<StatementTextAnswer> {
    if (this.#running >= MAX_RUNNING) throw new TooManyFetches();
    this.#running++;
    try {
      return await this.#ask(statement, deadlineMs);
    } finally {
      this.#running--;
    }
  }

  async #ask(statement: string, deadlineMs: number): Promise<StatementTextAnswer> {
    const { store, questions, clock } = this.#options;
    const connected = questions.hosts();
    const [told, known] = await Promise.all([questions.askText(statement, deadlineMs), store.hosts.all()]);
    const nowMs = clock();
    const offline = known.filter(
      ({ host, lastSeenUnixMs }) => !connected.has(host) && nowMs - lastSeenUnixMs <= EXPECTED_MS,
    );
    const hosts = [
      ...told.map(({ host, state }): TextAskedHost => ({ host, state, lastSeenUnixMs: nowMs })),
      ...offline.map(
        ({ host, lastSeenUnixMs }): TextAskedHost => ({ host, state: "offline", lastSeenUnixMs }),
      ),
    ].sort((a, b) => (a.host < b.host ? -1 : 1));
    return { statement, text: told.find(({ text }) => text !== "")?.text ?? null, hosts };
  }
}
