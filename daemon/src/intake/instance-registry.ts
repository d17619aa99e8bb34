import type { Hello } from "@apm-daemon/protocol";
import type { Journal, JournalInstance } from "../journal/journal.ts";

/** One incarnation of an app's process. */
export interface AppInstance {
  readonly app: string;
  readonly instance: string;
  readonly pid: number;
  readonly runtime: string;
  readonly agentVersion: string;
  readonly startUnixMs: number;
  readonly journal: JournalInstance;
  /** Highest sequence number journaled. */
  lastSequence: number;
  connections: number;
  /** When its last connection ended; null while one is open. */
  goneUnixMs: number | null;
}

/** Instances remembered after they went, so that a late reconnect is not counted twice. */
const MAX_GONE = 10_000;
/** Apps told apart since start; instances of further ones are counted together as "(other)". */
const MAX_APPS = 200;

/** All instances that are connected or may come back. */
export class InstanceRegistry {
  readonly #journal: Journal;
  readonly #instances = new Map<string, AppInstance>();
  readonly #apps = new Set<string>();

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** The instance that says hello; what is below its first unacknowledged frame was journaled by an earlier daemon. */
  greet(hello: Hello): AppInstance {
    const instance = this.#instances.get(hello.instance) ?? this.#add(hello);
    instance.lastSequence = Math.max(instance.lastSequence, hello.firstUnacknowledged - 1);
    instance.connections++;
    instance.goneUnixMs = null;
    return instance;
  }

  /** An instance found in the journal at start. Null when its record cannot be read. */
  recover(json: string): AppInstance | null {
    try {
      const known = JSON.parse(json) as Hello;
      return this.#instances.get(known.instance) ?? this.#add(known);
    } catch {
      return null;
    }
  }

  leave(instance: AppInstance, nowUnixMs: number): void {
    instance.connections--;
    if (instance.connections === 0) instance.goneUnixMs = nowUnixMs;
    if (this.#instances.size > MAX_GONE) this.#forgetGone();
  }

  /** Instances that are connected, or went less than `recentMs` ago. */
  recent(nowUnixMs: number, recentMs: number): AppInstance[] {
    return [...this.#instances.values()].filter(
      ({ connections, goneUnixMs }) =>
        connections > 0 || (goneUnixMs !== null && nowUnixMs - goneUnixMs < recentMs),
    );
  }

  connected(): AppInstance[] {
    return [...this.#instances.values()].filter(({ connections }) => connections > 0);
  }

  #add({ app: ownApp, instance, pid, runtime, agentVersion, startUnixMs }: Hello): AppInstance {
    const app = this.#apps.has(ownApp) || this.#apps.size < MAX_APPS ? ownApp : "(other)";
    this.#apps.add(app);
    const identity = { app, instance, pid, runtime, agentVersion, startUnixMs };
    const journal = this.#journal.createInstance(JSON.stringify(identity));
    const added: AppInstance = { ...identity, journal, lastSequence: 0, connections: 0, goneUnixMs: null };
    this.#instances.set(instance, added);
    return added;
  }

  #forgetGone(): void {
    for (const [key, { connections }] of this.#instances) {
      if (connections === 0) {
        this.#instances.delete(key);
        return;
      }
    }
  }
}
