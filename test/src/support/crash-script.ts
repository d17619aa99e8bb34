/**
 * One life of a daemon that takes every step of its disk work: start, take frames, roll the journal, seal, have a batch
 * acknowledged and delete it, delete an old segment, stop. Run under strace it is recorded, or killed at one system call; then it is
 * started again without strace, the agent sends again what was not acknowledged, and the script goes on where it was.
 *
 * At the end every frame that the agent sent must be counted once at the collector: those acknowledged before the kill because
 * the daemon kept them, the others because the agent did.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Cleanup } from "./cleanup.ts";
import { DrainCheck } from "./drain-check.ts";
import { eventually } from "./eventually.ts";
import { heavyFrame } from "./heavy-frame.ts";
import { Program } from "./program.ts";
import { ScriptedAgent } from "./scripted-agent.ts";
import { readStatus } from "./status-socket.ts";
import { DISK_CALLS, type SyscallPoint } from "./syscall-points.ts";
import { APM_PROGRAM, type Collector } from "./system.ts";

/** The smallest journal that the configuration allows: two segments and a bit. */
const DAEMON_TOML = `
seal_interval_ms = 1000
journal.segment_bytes = 2097152
journal.cap_bytes = 4194304
`;
/** Frames of half a megabyte: the first six begin the second segment, the next six the third, and the first is deleted. */
const FRAMES_PER_STEP = 6;
const STEPS = 2;
const STEP_WITHIN_MS = 60_000;
const MAX_STARTS = 4;

export interface CrashOutcome {
  /** Whether the kill came; a run without `point` is never killed. */
  wasKilled: boolean;
  framesSent: number;
  /** Frames that were acknowledged when the kill came. */
  acknowledgedBefore: number;
  lost: number;
  doubled: number;
  /** From the start after the kill until the socket answers; null where there was no kill. */
  recoverMs: number | null;
  /** Sentences of what went wrong, empty when all is well. */
  problems: string[];
}

export interface CrashScriptOptions {
  collector: Collector;
  keyFile: string;
  /** Apart from all others: the app's and the host's name. */
  name: string;
  stateDir: string;
  /** Where to kill; without it the run is recorded. */
  point?: SyscallPoint;
  /** Where strace writes to. */
  traceFile: string;
}

export async function runCrashScript(options: CrashScriptOptions): Promise<CrashOutcome> {
  const cleanup = new Cleanup();
  try {
    return await new CrashScript(cleanup, options).run();
  } finally {
    await cleanup.run();
  }
}

class CrashScript {
  readonly #cleanup: Cleanup;
  readonly #options: CrashScriptOptions;
  readonly #agent: ScriptedAgent;
  readonly #statusSocket: string;
  #program: Program | null = null;
  /** Under strace the daemon is a child of `#program`. */
  #daemonPid = 0;
  #starts = 0;
  #acknowledgedBefore = 0;
  #recoverMs: number | null = null;
  #actions: string[] = [];

  constructor(cleanup: Cleanup, options: CrashScriptOptions) {
    this.#cleanup = cleanup;
    this.#options = options;
    const run = join(options.stateDir, "run");
    this.#agent = new ScriptedAgent(join(run, "agent.sock"), options.name, instanceOf(options.name));
    this.#statusSocket = join(run, "status.sock");
  }

  async run(): Promise<CrashOutcome> {
    writeFileSync(
      join(this.#options.stateDir, "daemon.toml"),
      `host_name = "${this.#options.name}"\n${DAEMON_TOML}`,
    );
    const problems: string[] = [];
    try {
      for (let step = 1; step <= STEPS; step++) await this.#step();
      await this.#stop();
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
    }
    const counts = await this.#counts();
    return {
      wasKilled: this.#starts > 1,
      framesSent: this.#actions.length,
      acknowledgedBefore: this.#acknowledgedBefore,
      recoverMs: this.#recoverMs,
      problems,
      ...counts,
    };
  }

  /** Frames that roll the journal, then a seal of them that the collector acknowledged. */
  async #step(): Promise<void> {
    for (let i = 0; i < FRAMES_PER_STEP; i++) {
      const sequence = this.#agent.nextSequence;
      const action = `GET /frame/${sequence}`;
      this.#actions.push(action);
      this.#agent.add(heavyFrame(sequence, action));
    }
    await this.#untilDone("the frames are acknowledged", () => this.#agent.deliver());
    // A new check for each daemon: positions of one that was killed need not be those of the next.
    let check = new DrainCheck(this.#statusSocket);
    let checked = this.#starts;
    await this.#untilDone("the frames are sealed, and the batches acknowledged", async () => {
      if (checked !== this.#starts) check = new DrainCheck(this.#statusSocket);
      checked = this.#starts;
      return (await check.missing()) === null;
    });
  }

  /** A clean end; when the kill falls into it, a second one. */
  async #stop(): Promise<void> {
    for (;;) {
      const program = await this.#running();
      process.kill(this.#daemonPid, "SIGTERM");
      const { code, signal } = await within(program.ended, "the daemon ends after SIGTERM");
      if (code === 0) return;
      if (signal !== "SIGKILL" || this.#starts > 1) throw new Error(program.describe());
    }
  }

  /** Repeats `attempt`, with a daemon that runs, until it answers true. */
  async #untilDone(what: string, attempt: () => Promise<boolean>): Promise<void> {
    const giveUpAt = performance.now() + STEP_WITHIN_MS;
    let reason = "";
    while (performance.now() < giveUpAt) {
      await this.#running();
      try {
        if (await attempt()) return;
        reason = "not yet";
      } catch (error) {
        // A daemon that was killed just now answers nothing; what a living one says is final.
        if (isGone(error)) reason = String(error);
        else throw error;
      }
      await sleep(20);
    }
    throw new Error(`after ${STEP_WITHIN_MS / 1_000} s still not: ${what} (${reason})`);
  }

  /** The running daemon, started if there is none. */
  async #running(): Promise<Program> {
    if (this.#program?.isRunning === true) return this.#program;
    while (this.#starts < MAX_STARTS) {
      if (this.#starts === 1) this.#acknowledgedBefore = this.#agent.acknowledged;
      const startedMs = performance.now();
      const program = this.#start();
      this.#program = program;
      const isReady = await eventually("the daemon is ready, or ended", STEP_WITHIN_MS, async () => {
        if (!program.isRunning) return false;
        const { pid } = await readStatus(this.#statusSocket);
        this.#daemonPid = pid;
        return true;
      });
      if (isReady) {
        if (this.#starts > 1) this.#recoverMs ??= performance.now() - startedMs;
        return program;
      }
      const { signal } = await program.ended;
      if (signal !== "SIGKILL" || this.#starts > 1) throw new Error(`could not start: ${program.describe()}`);
    }
    throw new Error(`the daemon was started ${MAX_STARTS} times and did not stay`);
  }

  #start(): Program {
    const { stateDir, collector, keyFile } = this.#options;
    const daemon = [APM_PROGRAM, "daemon", "--state-dir", stateDir, "--collector", collector.uplinkUrl];
    const command = [process.execPath, ...daemon, "--license-key-file", keyFile];
    this.#starts++;
    const [program = "", ...args] = this.#starts === 1 ? [...this.#strace(), ...command] : command;
    const started = new Program({
      name: "apm daemon",
      command: program,
      args,
      env: {
        NO_COLOR: "1",
        APM_CONFIG_FILE: join(stateDir, "daemon.toml"),
        // strace counts calls thread by thread; with one thread for the disk the count is the file's.
        UV_THREADPOOL_SIZE: "1",
      },
    });
    this.#cleanup.add(async () => {
      if (!started.isRunning) return;
      // strace alone would leave the daemon behind.
      if (this.#daemonPid > 0) process.kill(this.#daemonPid, "SIGKILL");
      await started.kill();
    });
    return started;
  }

  #strace(): string[] {
    const { point, traceFile } = this.#options;
    const common = ["strace", "-f", "-qq", "-y", "-o", traceFile];
    if (point === undefined)
      return [...common, "-e", `trace=${DISK_CALLS.map((call) => `?${call}`).join(",")}`];
    const { syscall, path, nth } = point;
    const inject = `inject=${syscall}:signal=SIGKILL:when=${nth}`;
    return [...common, "-e", `trace=${syscall}`, "-e", inject, "-P", path];
  }

  async #counts(): Promise<{ lost: number; doubled: number }> {
    const { api } = this.#options.collector;
    const isKnown = (await api.apps()).some(({ app }) => app === this.#options.name);
    const found = isKnown ? await api.actions(this.#options.name) : [];
    let lost = 0;
    let doubled = 0;
    for (const action of this.#actions) {
      const requests = found.find((entry) => entry.action === action)?.requests ?? 0;
      lost += Math.max(0, 1 - requests);
      doubled += Math.max(0, requests - 1);
    }
    return { lost, doubled };
  }
}

/** An instance id is 32 hexadecimal digits. */
function instanceOf(name: string): string {
  return Buffer.from(name).toString("hex").padStart(32, "0").slice(-32);
}

function isGone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  return ["ECONNREFUSED", "ECONNRESET", "ENOENT", "EPIPE"].includes(code);
}

async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  const timer = sleep(STEP_WITHIN_MS, undefined, { ref: false }).then(() => {
    throw new Error(`after ${STEP_WITHIN_MS / 1_000} s still not: ${what}`);
  });
  return Promise.race([promise, timer]);
}
