import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/** What an app may see of our environment: nothing that would make its drivers or its agent go elsewhere. */
const PASSED_VARIABLES = ["PATH", "HOME", "LANG", "TZ", "TMPDIR", "XDG_RUNTIME_DIR", "APM_SOCKET", "APM_LOG"];
const READY_WITHIN_MS = 60_000;
/** It has as much time as the stop of `apm up` leaves it. */
const STOP_WITHIN_MS = 850;

export interface DemoAppOptions {
  /** Its name in the console. */
  name: string;
  /** Its main file, relative to the folder of the demo's apps. */
  file: string;
  /** What it is configured with. */
  env: Readonly<Record<string, string>>;
  processEnv: Readonly<Record<string, string | undefined>>;
}

/** An app of the demo as a process of its own, under the agent. It ends when its message channel does, so never after us. */
export class DemoApp {
  /** Resolves with a sentence when it ends without being asked to. */
  readonly failed: Promise<string>;
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<string>;
  #isStopping = false;

  constructor({ name, file, env, processEnv }: DemoAppOptions) {
    this.#name = name;
    const path = fileURLToPath(new URL(`../apps/${file}`, import.meta.url));
    const passed = PASSED_VARIABLES.map((variable) => [variable, processEnv[variable]]);
    this.#child = spawn(
      process.execPath,
      ["--import", import.meta.resolve("@apm-daemon/agent/register"), path],
      {
        cwd: dirname(path),
        env: { ...Object.fromEntries(passed), ...env, APM_APP_NAME: name },
        // A session of its own: Ctrl-C in a terminal must reach only us, who end the apps after their visitors.
        detached: true,
        stdio: ["ignore", "inherit", "inherit", "ipc"],
      },
    );
    this.#ended = this.#waitForEnd();
    this.failed = this.#ended.then((how) =>
      this.#isStopping ? new Promise<string>(() => {}) : `${name} ${how}`,
    );
  }

  /** The address that it serves at. Rejects when it ends before, or takes too long. */
  async ready(): Promise<string> {
    const deadline = AbortSignal.timeout(READY_WITHIN_MS);
    const ready = once(this.#child, "message", { signal: deadline }).then(
      ([message]) => (message as { address: string }).address,
      () => Promise.reject(new Error(`${this.#name} did not start within ${READY_WITHIN_MS / 1_000} s`)),
    );
    const failed = this.failed.then((sentence) => Promise.reject(new Error(sentence)));
    return Promise.race([ready, failed]);
  }

  /** Resolves when it is gone. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    if (this.#child.connected) this.#child.disconnect();
    const deadline = setTimeout(() => this.#child.kill("SIGKILL"), STOP_WITHIN_MS);
    await this.#ended;
    clearTimeout(deadline);
  }

  /** How it ended. */
  #waitForEnd(): Promise<string> {
    return new Promise((resolve) => {
      this.#child.once("error", (error) => resolve(`did not start: ${error.message}`));
      this.#child.once("exit", (code, signal) =>
        resolve(signal ? `was killed by ${signal}` : `ended with exit code ${code}`),
      );
    });
  }
}
