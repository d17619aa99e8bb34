import type { Logger } from "pino";

const WARN_EVERY_MS = 600_000;

export interface ConnectedHost {
  name: string;
  /** The machine's id, which copies of one machine share. */
  id: string;
  /** The daemon's own id, which no two state directories share. */
  stream: string;
  address: string;
}

interface Namesakes {
  hosts: Set<ConnectedHost>;
  warnedMs: number;
}

/** The hosts connected now, by name: the console shows those of one name as one, so the log says when there are two. */
export class HostNames {
  readonly #clock: () => number;
  readonly #log: Logger;
  readonly #names: Map<string, Namesakes> = new Map();

  constructor({ clock, log }: { clock: () => number; log: Logger }) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Returns what to call when the host's connection has ended. */
  join(host: ConnectedHost): () => void {
    const namesakes = this.#names.get(host.name) ?? { hosts: new Set(), warnedMs: Number.NEGATIVE_INFINITY };
    this.#names.set(host.name, namesakes);
    const other = [...namesakes.hosts].find(({ id, stream }) => id !== host.id || stream !== host.stream);
    if (other) this.#warn(namesakes, other, host);
    namesakes.hosts.add(host);
    return () => {
      namesakes.hosts.delete(host);
      if (namesakes.hosts.size === 0) this.#names.delete(host.name);
    };
  }

  #warn(namesakes: Namesakes, first: ConnectedHost, second: ConnectedHost): void {
    const nowMs = this.#clock();
    if (nowMs - namesakes.warnedMs < WARN_EVERY_MS) return;
    namesakes.warnedMs = nowMs;
    const shown = [first, second].map(({ id, stream, address }) => `${id} (${address}, stream ${stream})`);
    this.#log.warn(
      { hosts: [first, second] },
      `two daemons call their host ${JSON.stringify(first.name)}, and their data is mixed: ${shown.join(" and ")}; ` +
        "give one of them another name with host_name in its configuration",
    );
  }
}
