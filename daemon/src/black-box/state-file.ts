import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname } from "node:path";
import type { StatusEvent } from "@apm-daemon/protocol";
import type { Logger } from "pino";
import type { PendingEvent } from "./event-log.ts";
import type { MemoryCgroup, MemoryCounters } from "./memory-cgroup.ts";

/** What outlives the daemon: who was connected, and which events no batch has yet. */
export interface BlackBoxState {
  version: 1;
  bootId: string;
  watched: WatchedRecord[];
  pending: PendingEvent[];
  recent: StatusEvent[];
}

export interface WatchedRecord {
  instance: string;
  app: string;
  pid: number;
  runtime: string;
  startUnixMs: number;
  /** The process on this host; null where it could not be found. */
  process: { pid: number; startTicks: number } | null;
  cgroup: MemoryCgroup | null;
  before: MemoryCounters | null;
  lastHeardUnixMs: number;
}

/** Connects and ends come in storms; what one write in this time does not have is lost when the daemon is killed within it. */
const SAVE_WITHIN_MS = 200;
/** With thousands of processes one write takes long, and must not be all that the daemon does. */
const REST_PER_WRITE = 10;

/**
 * The file of that state, replaced as a whole: in the page cache when save() returns, so that a killed daemon loses nothing, and
 * on the disk when saved() resolves. A disk that refuses it costs the memory, never the daemon's work.
 */
export class StateFile {
  readonly #path: string;
  readonly #log: Logger;
  readonly #content: () => BlackBoxState;
  #timer: NodeJS.Timeout | null = null;
  #savedMonoMs = Number.NEGATIVE_INFINITY;
  #restMs = SAVE_WITHIN_MS;
  #isUnsynced = false;
  #isFailing = false;

  constructor(path: string, log: Logger, content: () => BlackBoxState) {
    this.#path = path;
    this.#log = log;
    this.#content = content;
  }

  saveSoon(): void {
    this.#timer ??= setTimeout(() => this.save(), this.#restMs).unref();
  }

  /** Saves now, or soon when that was done just before: a thousand ends at one moment are one write. */
  saveInTurn(): void {
    if (performance.now() - this.#savedMonoMs >= this.#restMs) this.save();
    else this.saveSoon();
  }

  save(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const startedMonoMs = performance.now();
    try {
      const temporary = `${this.#path}.tmp`;
      writeFileSync(temporary, JSON.stringify(this.#content()), { mode: 0o600 });
      renameSync(temporary, this.#path);
      this.#isUnsynced = true;
      this.#isFailing = false;
    } catch (error) {
      this.#failed(error);
    }
    this.#savedMonoMs = performance.now();
    this.#restMs = Math.max(SAVE_WITHIN_MS, REST_PER_WRITE * (this.#savedMonoMs - startedMonoMs));
  }

  /** Resolves when all that was to be saved is on the disk, or was refused. Never rejects. */
  async saved(): Promise<void> {
    if (this.#timer !== null) this.save();
    if (!this.#isUnsynced) return;
    this.#isUnsynced = false;
    try {
      for (const path of [this.#path, dirname(this.#path)]) await sync(path);
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    if (!this.#isFailing)
      this.#log.warn(
        { err: error },
        `cannot write ${this.#path}: a crash of the daemon may now cost or double a report about an app's end; check the disk and the state folder`,
      );
    this.#isFailing = true;
  }
}

async function sync(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Null when there is none, or it cannot be read, or another release wrote it. */
export function readStateFile(path: string): BlackBoxState | null {
  try {
    const state = JSON.parse(readFileSync(path, "utf8")) as Partial<BlackBoxState>;
    const isWhole =
      state.version === 1 &&
      Array.isArray(state.watched) &&
      Array.isArray(state.pending) &&
      Array.isArray(state.recent);
    return isWhole ? (state as BlackBoxState) : null;
  } catch {
    return null;
  }
}
