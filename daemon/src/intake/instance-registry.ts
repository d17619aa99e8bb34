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
  /** All its frames came to this state folder. */
  readonly isKnownFromStart: boolean;
  /** Its last words; null while it lives, or when it ended without any. */
  bye: { exitCode: number | null } | null;
}

/** What the journal keeps of an instance. */
type InstanceRecord = Pick<
  AppInstance,
  "app" | "instance" | "pid" | "runtime" | "agentVersion" | "startUnixMs"
> & { firstSequence?: number };

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
    const firstSequence = hello.firstUnacknowledged;
    const instance =
      this.#instances.get(hello.instance) ?? this.#add({ ...hello, firstSequence }, firstSequence <= 1);
    instance.lastSequence = Math.max(instance.lastSequence, hello.firstUnacknowledged - 1);
    instance.connections++;
    instance.goneUnixMs = null;
    return instance;
  }

  /**
   * An instance found in the journal at start; `isUnsealed` when its record lies after the sealed position. Null when its
   * record cannot be read.
   */
  recover(json: string, isUnsealed: boolean): AppInstance | null {
    try {
      const known = JSON.parse(json) as InstanceRecord;
      const isKnownFromStart = isUnsealed && (known.firstSequence ?? 2) <= 1;
      return this.#instances.get(known.instance) ?? this.#add(known, isKnownFromStart);
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
        // A clock that was set back leaves times of its future, which are not recent either.
        connections > 0 || (goneUnixMs !== null && Math.abs(nowUnixMs - goneUnixMs) < recentMs),
    );
  }

  connected(): AppInstance[] {
    return [...this.#instances.values()].filter(({ connections }) => connections > 0);
  }

  #add(record: InstanceRecord, isKnownFromStart: boolean): AppInstance {
    const { app: ownApp, instance, pid, runtime, agentVersion, startUnixMs, firstSequence } = record;
    const app = this.#apps.has(ownApp) || this.#apps.size < MAX_APPS ? ownApp : "(other)";
    this.#apps.add(app);
    const identity = { app, instance, pid, runtime, agentVersion, startUnixMs };
    const journal = this.#journal.createInstance(JSON.stringify({ ...identity, firstSequence }));
    const added: AppInstance = {
      ...identity,
      journal,
      lastSequence: 0,
      connections: 0,
      goneUnixMs: null,
      isKnownFromStart,
      bye: null,
    };
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
