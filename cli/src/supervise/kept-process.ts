import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { Backoff } from "./backoff.ts";

/**
 * A process of `apm up` that is started again when it dies.
 *
 *   stopped ─start─► running ─dies─► waiting ─delay─► running …
 *                       │exit code 2        │
 *                       ▼                   ▼
 *                    refused             stopped (by stop)
 *
 * It runs in a session of its own, so that Ctrl-C in the terminal reaches only `apm up`, which then stops its parts in
 * order. It notices the end of `apm up` by its message channel.
 */
export interface KeptProcessOptions {
  mainFile: string;
  /** Arguments after the program's own file; asked at each start. */
  args: () => string[];
  /** Asked at each start, too. */
  env: () => Readonly<Record<string, string | undefined>>;
  backoff: Backoff;
  onLine: (line: string) => void;
  /** It ended and will be started again after `delayMs`. */
  onRestart: (reason: string, delayMs: number) => void;
}

/** What a part tells `apm up` once it serves. */
export interface ReadyMessage {
  type: "ready";
  /** The collector's http:// address, or the path of the daemon's status socket. */
  address: string;
}

/** The exit code for wrong usage or configuration: starting again cannot help. */
const REFUSED_EXIT_CODE = 2;

export class KeptProcess {
  /** The address it names when it serves for the first time. */
  readonly firstReady: Promise<string>;
  /** Resolves with its last words when it refuses to run as it is configured; it is not started again. */
  readonly refused: Promise<string>;
  readonly #options: KeptProcessOptions;
  #isReady: (address: string) => void = () => {};
  #isRefused: (lastWords: string) => void = () => {};
  /** What it said on stderr from the first "apm: " on: a part says so only to explain its end. */
  #lastWords: string[] = [];
  #child: ChildProcess | null = null;
  #restart: NodeJS.Timeout | null = null;
  #isStopping = false;

  constructor(options: KeptProcessOptions) {
    this.#options = options;
    this.firstReady = new Promise((resolve) => {
      this.#isReady = resolve;
    });
    this.refused = new Promise((resolve) => {
      this.#isRefused = resolve;
    });
  }

  /** Without effect once `stop` or `kill` was called. */
  start(): void {
    if (this.#isStopping) return;
    const { mainFile, args, env, onLine } = this.#options;
    const startedMonoMs = performance.now();
    const child = spawn(process.execPath, ["--enable-source-maps", mainFile, ...args()], {
      detached: true,
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      env: { ...env() },
    });
    this.#child = child;
    this.#lastWords = [];
    eachLine(child.stdout, onLine);
    eachLine(child.stderr, (line) => {
      if (this.#lastWords.length > 0 || line.startsWith("apm: ")) this.#lastWords.push(line);
      else onLine(line);
    });
    child.on("message", (message) => {
      if (isReady(message)) this.#isReady(message.address);
    });
    child.on("error", (error) => onLine(error.message));
    // "close" comes after the last line of output, which says why it ended.
    child.on("close", (code, signal) => this.#ended(code, signal, performance.now() - startedMonoMs));
  }

  /** Asks it to end and waits; kills it after `graceMs`. Resolves when it is gone. */
  async stop(graceMs: number): Promise<void> {
    this.#isStopping = true;
    if (this.#restart) clearTimeout(this.#restart);
    const child = this.#child;
    if (!child) return;
    const gone = new Promise<void>((resolve) => {
      child.once("close", () => resolve());
    });
    const deadline = setTimeout(() => child.kill("SIGKILL"), graceMs);
    child.kill("SIGTERM");
    await gone;
    clearTimeout(deadline);
  }

  /** Kills it without waiting. */
  kill(): void {
    this.#isStopping = true;
    this.#child?.kill("SIGKILL");
  }

  #ended(code: number | null, signal: NodeJS.Signals | null, ranMs: number): void {
    this.#child = null;
    if (this.#isStopping) return;
    if (code === REFUSED_EXIT_CODE) {
      this.#isRefused(this.#lastWords.join("\n").replace(/^apm: /, ""));
      return;
    }
    for (const line of this.#lastWords) this.#options.onLine(line);
    const delayMs = this.#options.backoff.delayAfter(ranMs);
    this.#options.onRestart(signal ? `was killed by ${signal}` : `ended with exit code ${code}`, delayMs);
    this.#restart = setTimeout(() => this.start(), delayMs);
  }
}

function eachLine(stream: Readable | null, listener: (line: string) => void): void {
  if (stream) createInterface({ input: stream }).on("line", listener);
}

function isReady(message: unknown): message is ReadyMessage {
  const { type, address } = (message ?? {}) as Partial<ReadyMessage>;
  return type === "ready" && typeof address === "string";
}
