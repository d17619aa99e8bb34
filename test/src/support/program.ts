import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

/** Variables of the caller that programs under test may see; no APM_… and no NODE_… of the caller reach them. */
const PASSED_VARIABLES = ["PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR"];
const STOP_DEADLINE_MS = 10_000;
const POLL_MS = 20;

export interface ProgramOptions {
  /** For messages: "daemon", "shop". */
  name: string;
  command: string;
  args: string[];
  env?: Record<string, string> | undefined;
  cwd?: string | undefined;
  uid?: number | undefined;
  gid?: number | undefined;
  /** "pipe": write() reaches it. */
  stdin?: "pipe" | undefined;
}

export interface ProgramEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
}

const running = new Set<ChildProcess>();
/** Of this test, in the order of their start. */
const started: Program[] = [];
const WARNING = /"level":[456]0|\b(?:WARN|ERROR|FATAL)\b/;
const WARNINGS_EACH = 6;

/** The last warnings of each program that this test started, for the message of a failure; "" when there are none. */
export function recentWarnings(): string {
  return started
    .map(({ name, output }) => ({ name, lines: output.split("\n").filter((line) => WARNING.test(line)) }))
    .filter(({ lines }) => lines.length > 0)
    .map(({ name, lines }) => [`${name} warned:`, ...lines.slice(-WARNINGS_EACH)].join("\n"))
    .join("\n");
}

function killWhatIsLeft(): void {
  for (const child of running) child.kill("SIGKILL");
}

/** A test that is itself killed must not leave its programs behind. */
function watchOwnEnd(): void {
  if (process.listeners("exit").includes(killWhatIsLeft)) return;
  process.on("exit", killWhatIsLeft);
  process.once("SIGTERM", () => process.exit(143));
}

/** A process started by a test, with all that it printed. */
export class Program {
  readonly name: string;
  readonly ended: Promise<ProgramEnd>;
  readonly #child: ChildProcess;
  #stdout = "";
  #stderr = "";
  #end: ProgramEnd | null = null;

  constructor(options: ProgramOptions) {
    this.name = options.name;
    this.#child = spawn(options.command, options.args, spawnOptions(options));
    watchOwnEnd();
    started.push(this);
    running.add(this.#child);
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout += text;
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    this.ended = this.#waitForEnd();
  }

  get pid(): number {
    const pid = this.#child.pid;
    if (pid === undefined) throw new Error(`${this.name} did not start`);
    return pid;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get output(): string {
    return `${this.#stdout}${this.#stderr}`;
  }

  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  get isRunning(): boolean {
    return this.#end === null;
  }

  /** The first match of `pattern` in what the program printed; throws with its output when it ends or time is up. */
  async waitForOutput(pattern: RegExp, deadlineMs = 20_000): Promise<RegExpMatchArray> {
    const giveUpAt = performance.now() + deadlineMs;
    for (;;) {
      const match = this.output.match(pattern);
      if (match !== null) return match;
      if (this.#end !== null || performance.now() >= giveUpAt)
        throw new Error(`${this.describe()} and never printed ${pattern}`);
      await sleep(POLL_MS);
    }
  }

  /** Sends a signal and waits for the end; what outlives the deadline is killed and reported. */
  async stop(signal: NodeJS.Signals = "SIGTERM", deadlineMs: number = STOP_DEADLINE_MS): Promise<ProgramEnd> {
    if (this.#end !== null) return this.#end;
    this.#child.kill(signal);
    let tooLate = false;
    const timer = setTimeout(() => {
      tooLate = true;
      this.#child.kill("SIGKILL");
    }, deadlineMs);
    const end = await this.ended;
    clearTimeout(timer);
    if (tooLate)
      throw new Error(`${this.name} was still there ${deadlineMs / 1000} s after ${signal}:\n${this.output}`);
    return end;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.ended;
  }

  describe(): string {
    const state =
      this.#end === null ? "runs" : `ended with ${this.#end.signal ?? `exit code ${this.#end.code}`}`;
    return `${this.name} ${state}; it printed:\n${this.output.trim() || "(nothing)"}\n`;
  }

  async #waitForEnd(): Promise<ProgramEnd> {
    try {
      const closed = once(this.#child, "close");
      const [code, signal] = (await once(this.#child, "exit")) as [number | null, NodeJS.Signals | null];
      // Its last words may still be in the pipe; a grandchild that holds the pipe open must not hold the test.
      await Promise.race([closed, sleep(500, undefined, { ref: false })]);
      this.#end = { code, signal };
    } catch (error) {
      this.#stderr += `${String(error)}\n`;
      this.#end = { code: null, signal: null };
    }
    running.delete(this.#child);
    return this.#end;
  }
}

function spawnOptions(options: ProgramOptions): SpawnOptions {
  const env: Record<string, string> = {};
  for (const name of PASSED_VARIABLES) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return {
    env: { ...env, ...options.env },
    stdio: [options.stdin ?? "ignore", "pipe", "pipe"],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.gid === undefined ? {} : { gid: options.gid }),
  };
}
