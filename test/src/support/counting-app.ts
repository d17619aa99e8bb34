import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type BootedHost, TREE } from "./booted-host.ts";
import type { Cleanup } from "./cleanup.ts";
import { Program, type ProgramEnd } from "./program.ts";

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
  /** Where it runs; default: here. */
  host?: BootedHost;
}

const END_DEADLINE_MS = 10_000;
const APP = "test/apps/counter/app.js";
const HERE = fileURLToPath(new URL("../../../", import.meta.url));

/** The app `counter` under the real agent, making requests of four spans at a steady pace. */
export class CountingApp {
  readonly name: string;
  readonly program: Program;
  readonly #pid: number;
  readonly #truthFile: string;

  private constructor(name: string, program: Program, pid: number, truthFile: string) {
    this.name = name;
    this.program = program;
    this.#pid = pid;
    this.#truthFile = truthFile;
  }

  static async start(cleanup: Cleanup, options: CountingAppOptions): Promise<CountingApp> {
    const { host } = options;
    const truthFile = host === undefined ? join(cleanup.tempDir(), "truth.json") : "/root/truth.json";
    const env = {
      APM_SOCKET: options.agentSocket,
      APM_OVERHEAD_BUDGET: "0",
      APM_APP_NAME: options.name,
      SPANS_PER_SECOND: String(options.spansPerSecond),
      REQUESTS_PER_ACTION: String(options.requestsPerAction ?? 500),
      MAX_ACTIONS: String(options.maxActions ?? 100_000),
      RING_BYTES: String(options.ringBytes ?? 0),
      TRUTH_FILE: truthFile,
    };
    const [command, ...args] =
      host === undefined
        ? ([process.execPath, join(HERE, APP)] as const)
        : host.entered(process.execPath, join(TREE, APP));
    const program = new Program({ name: options.name, command, args, env });
    cleanup.add(async () => {
      await program.stop();
    });
    await program.waitForOutput(/makes requests/);
    const pid = host === undefined ? program.pid : onlyChildOf(program.pid);
    return new CountingApp(options.name, program, pid, host?.path(truthFile) ?? truthFile);
  }

  /** As of at most a second ago; exact after `stopMaking`. */
  get truth(): Truth {
    return JSON.parse(readFileSync(this.#truthFile, "utf8")) as Truth;
  }

  /** Ends the making of requests; the process and its agent live on. */
  async stopMaking(): Promise<Truth> {
    process.kill(this.#pid, "SIGUSR2");
    await this.program.waitForOutput(/made its last request/);
    return this.truth;
  }

  /** Until the daemon has acknowledged all of it: how much an ending process can still hand over depends on the machine. */
  async handedOver(deadlineMs: number): Promise<void> {
    await this.program.waitForOutput(/handed over/, deadlineMs);
  }

  /** Entering another host, the program passes no signal on; what outlives the deadline is killed. */
  async #stopped(): Promise<ProgramEnd> {
    await sleep(END_DEADLINE_MS, undefined, { ref: false });
    return await this.program.stop("SIGKILL");
  }

  /** A clean end: the agent hands over what it has and says goodbye. */
  async end(): Promise<void> {
    process.kill(this.#pid, "SIGTERM");
    const { code } = await Promise.race([this.program.ended, this.#stopped()]);
    if (code !== 0) throw new Error(this.program.describe());
  }
}

/** Who enters another host waits there for the program that it started. */
function onlyChildOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim());
}
