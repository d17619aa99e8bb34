import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cleanup } from "./cleanup.ts";
import { Program } from "./program.ts";
import { readStatus } from "./status-socket.ts";
import { APM_PROGRAM, type StateDir } from "./system.ts";

const POLL_MS = 15;
/** Longer than the longest pause that an agent or an uplink makes before it tries again. */
const RECOVER_WITHIN_MS = 150_000;

/** A program that is killed and started again and again with the same arguments, on the same folder. */
abstract class KilledPart {
  abstract readonly name: "daemon" | "collector";
  protected abstract readonly args: readonly string[];
  protected abstract readonly env: Record<string, string>;
  protected startedUnixMs = 0;
  readonly #cleanup: Cleanup;
  #program: Program | null = null;
  #startedMs = 0;

  constructor(cleanup: Cleanup) {
    this.#cleanup = cleanup;
    this.#cleanup.add(() => this.#program?.kill());
  }

  get program(): Program {
    if (this.#program === null) throw new Error("not started yet");
    return this.#program;
  }

  start(): void {
    this.startedUnixMs = Date.now();
    this.#startedMs = performance.now();
    this.#program = new Program({
      name: `apm ${this.name}`,
      command: process.execPath,
      args: [APM_PROGRAM, ...this.args],
      env: { NO_COLOR: "1", ...this.env },
    });
  }

  /** Throws when the program had ended by itself: a part that dies of its own is no kill. */
  async kill(): Promise<void> {
    if (!this.program.isRunning) throw new Error(`before it was killed: ${this.program.describe()}`);
    await this.program.kill();
  }

  /** Waits for the first acknowledgement after the start; answers the time that took, in milliseconds from the start. */
  async recovered(): Promise<number> {
    const giveUpAt = this.#startedMs + RECOVER_WITHIN_MS;
    let state = "";
    while (performance.now() < giveUpAt) {
      if (!this.program.isRunning) throw new Error(`did not recover: ${this.program.describe()}`);
      try {
        if (await this.hasAcknowledged()) return performance.now() - this.#startedMs;
        state = "it answers, and has acknowledged nothing";
      } catch (error) {
        state = String(error);
      }
      await sleep(POLL_MS);
    }
    throw new Error(
      `${this.name}: no acknowledgement within ${RECOVER_WITHIN_MS / 1000} s of its start (${state}); ${this.program.describe()}`,
    );
  }

  protected abstract hasAcknowledged(): Promise<boolean>;
}

export class KilledDaemon extends KilledPart {
  readonly name = "daemon";
  protected readonly args: readonly string[];
  protected readonly env: Record<string, string>;
  readonly statusSocket: string;

  constructor(
    cleanup: Cleanup,
    options: { stateDir: StateDir; collectorUrl: string; keyFile: string; configFile: string },
  ) {
    super(cleanup);
    const { stateDir, collectorUrl, keyFile, configFile } = options;
    this.statusSocket = join(stateDir.path, "run", "status.sock");
    const where = ["--state-dir", stateDir.path, "--collector", collectorUrl];
    this.args = ["daemon", ...where, "--license-key-file", keyFile];
    this.env = { APM_CONFIG_FILE: configFile };
  }

  /** Frames are counted right after they are journaled and acknowledged. */
  protected async hasAcknowledged(): Promise<boolean> {
    const { pid, intake } = await readStatus(this.statusSocket);
    return pid === this.program.pid && intake.frames > 0;
  }
}

export class KilledCollector extends KilledPart {
  readonly name = "collector";
  protected readonly args: readonly string[];
  protected readonly env: Record<string, string> = {};
  readonly #daemonStatusSocket: string;

  constructor(
    cleanup: Cleanup,
    options: { stateDir: StateDir; listen: string; daemonStatusSocket: string; configFile: string },
  ) {
    super(cleanup);
    const { stateDir, listen, configFile } = options;
    this.#daemonStatusSocket = options.daemonStatusSocket;
    this.args = ["collector", "--state-dir", stateDir.path, "--listen", listen, "--config", configFile];
  }

  /** The daemon says when a batch was last acknowledged: by this collector, if that was after its start. */
  protected async hasAcknowledged(): Promise<boolean> {
    const { uplink } = await readStatus(this.#daemonStatusSocket);
    return (uplink.lastAckUnixMs ?? 0) > this.startedUnixMs;
  }
}
