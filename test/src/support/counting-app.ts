import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Cleanup } from "./cleanup.ts";
import { Program } from "./program.ts";

/** What the app counted by itself, and what its agent says it could not keep. */
export interface Truth {
  requests: number;
  spans: number;
  /** Requests by action. */
  actions: Record<string, number>;
  /** Calls by "system OPERATION table". */
  operations: Record<string, number>;
  agent: { spansCreated: number; spansDropped: number; internalErrors: number } | null;
}

export interface CountingAppOptions {
  name: string;
  agentSocket: string;
  spansPerSecond: number;
  requestsPerAction?: number;
  maxActions?: number;
  /** Memory of the agent for what is not acknowledged; default: the agent's own. */
  ringBytes?: number;
}

/** The app `counter` under the real agent, making requests of four spans at a steady pace. */
export class CountingApp {
  readonly name: string;
  readonly program: Program;
  readonly #truthFile: string;

  private constructor(name: string, program: Program, truthFile: string) {
    this.name = name;
    this.program = program;
    this.#truthFile = truthFile;
  }

  static async start(cleanup: Cleanup, options: CountingAppOptions): Promise<CountingApp> {
    const truthFile = join(cleanup.tempDir(), "truth.json");
    const program = new Program({
      name: options.name,
      command: process.execPath,
      args: ["app.js"],
      cwd: fileURLToPath(new URL("../../apps/counter/", import.meta.url)),
      env: {
        APM_SOCKET: options.agentSocket,
        APM_OVERHEAD_BUDGET: "0",
        APM_APP_NAME: options.name,
        SPANS_PER_SECOND: String(options.spansPerSecond),
        REQUESTS_PER_ACTION: String(options.requestsPerAction ?? 500),
        MAX_ACTIONS: String(options.maxActions ?? 100_000),
        RING_BYTES: String(options.ringBytes ?? 0),
        TRUTH_FILE: truthFile,
      },
    });
    cleanup.add(async () => {
      await program.stop();
    });
    await program.waitForOutput(/makes requests/);
    return new CountingApp(options.name, program, truthFile);
  }

  /** As of at most a second ago; exact after `stopMaking`. */
  get truth(): Truth {
    return JSON.parse(readFileSync(this.#truthFile, "utf8")) as Truth;
  }

  /** Ends the making of requests; the process and its agent live on. */
  async stopMaking(): Promise<Truth> {
    process.kill(this.program.pid, "SIGUSR2");
    await this.program.waitForOutput(/made its last request/);
    return this.truth;
  }

  /** Until the daemon has acknowledged all of it: how much an ending process can still hand over depends on the machine. */
  async handedOver(deadlineMs: number): Promise<void> {
    await this.program.waitForOutput(/handed over/, deadlineMs);
  }

  /** A clean end: the agent hands over what it has and says goodbye. */
  async end(): Promise<void> {
    const { code } = await this.program.stop();
    if (code !== 0) throw new Error(this.program.describe());
  }
}
