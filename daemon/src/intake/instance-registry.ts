import {
  type Deployment,
  deploymentOf,
  type Hello,
  type LibrariesReport,
  type RecordingLevel,
} from "@apm-daemon/protocol";
import type { Journal, JournalInstance } from "../journal/journal.ts";
import { type InstanceOrigin, mayBe, originOf, recoveredOrigin } from "./instance-origin.ts";
import type { PeerCredentials } from "./peer-credentials.ts";

/** One incarnation of an app's process. */
export interface AppInstance extends InstanceOrigin, Deployment {
  readonly app: string;
  readonly instance: string;
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
  /** What its agent says of its own cost; null when it says nothing. */
  overhead: { recording: RecordingLevel; ratio: number } | null;
  /** What its agent found of the libraries that it knows; null until it says so. */
  libraries: LibrariesReport | null;
}

/** What the journal keeps of an instance; records of earlier releases lack the origin. */
type InstanceRecord = Pick<
  AppInstance,
  "app" | "instance" | "pid" | "runtime" | "agentVersion" | "startUnixMs"
> &
  Partial<InstanceOrigin> &
  Deployment & { firstSequence?: number };

/** Instances remembered after they went, so that a late reconnect is not counted twice. */
const MAX_GONE = 10_000;
/** Apps told apart since start, of one user and of all; instances of further ones are counted together as "(other)". */
const MAX_APPS_OF_USER = 200;
const MAX_APPS = 400;

/** Somebody says hello with the instance id of another user's app. */
export class InstanceTaken extends Error {
  readonly instance: AppInstance;

  constructor(instance: AppInstance) {
    super(
      `instance ${instance.instance} belongs to another user of this host: an agent makes a new random id in each process and must not share it`,
    );
    this.name = "InstanceTaken";
    this.instance = instance;
  }
}

/** All instances that are connected or may come back. */
export class InstanceRegistry {
  readonly #journal: Journal;
  readonly #instances = new Map<string, AppInstance>();
  readonly #apps = new Set<string>();
  readonly #appsOfUser = new Map<number | null, number>();
  /** Instances of each user. */
  readonly #perUser = new Map<number | null, number>();

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /**
   * The instance that says hello; what is below its first unacknowledged frame was journaled by an earlier daemon. Throws
   * InstanceTaken when it belongs to another user: whoever knows an instance's id must not be able to acknowledge its frames
   * away.
   */
  greet(hello: Hello, peer: PeerCredentials | null = null): AppInstance {
    const origin = originOf(hello, peer);
    const known = this.#instances.get(hello.instance);
    if (known !== undefined && !mayBe(known, origin)) throw new InstanceTaken(known);
    const firstSequence = hello.firstUnacknowledged;
    const instance = known ?? this.#add({ ...hello, firstSequence }, origin, firstSequence <= 1);
    if (origin.uid !== null) this.#bind(instance, origin);
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
      return (
        this.#instances.get(known.instance) ?? this.#add(known, recoveredOrigin(known), isKnownFromStart)
      );
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

  #add(record: InstanceRecord, origin: InstanceOrigin, isKnownFromStart: boolean): AppInstance {
    const { instance, runtime, agentVersion, startUnixMs, firstSequence } = record;
    const app = this.#appName(record.app, origin.uid);
    const identity = {
      app,
      instance,
      runtime,
      agentVersion,
      startUnixMs,
      ...deploymentOf(record),
      ...origin,
    };
    const journal = this.#journal.createInstance(JSON.stringify({ ...identity, firstSequence }));
    const added: AppInstance = {
      ...identity,
      journal,
      lastSequence: 0,
      connections: 0,
      goneUnixMs: null,
      isKnownFromStart,
      bye: null,
      overhead: null,
      libraries: null,
    };
    this.#instances.set(instance, added);
    this.#count(origin.uid, 1);
    return added;
  }

  /** A process is known by its newest connection: it may have changed its user, or have been known by its claim only. */
  #bind(instance: AppInstance, origin: InstanceOrigin): void {
    this.#count(instance.uid, -1);
    this.#count(origin.uid, 1);
    Object.assign(instance, origin);
  }

  #count(uid: number | null, more: number): void {
    const count = (this.#perUser.get(uid) ?? 0) + more;
    if (count === 0) this.#perUser.delete(uid);
    else this.#perUser.set(uid, count);
  }

  #appName(app: string, uid: number | null): string {
    if (this.#apps.has(app)) return app;
    const ofUser = this.#appsOfUser.get(uid) ?? 0;
    if (this.#apps.size >= MAX_APPS || ofUser >= MAX_APPS_OF_USER) return "(other)";
    this.#apps.add(app);
    this.#appsOfUser.set(uid, ofUser + 1);
    return app;
  }

  /** Forgets the oldest instance that went, of the user who has most: nobody can make the daemon forget another's. */
  #forgetGone(): void {
    const byCount = [...this.#perUser].sort(([, a], [, b]) => b - a);
    for (const [uid] of byCount) {
      for (const [key, instance] of this.#instances) {
        if (instance.connections > 0 || instance.uid !== uid) continue;
        this.#instances.delete(key);
        this.#count(uid, -1);
        return;
      }
    }
  }
}
