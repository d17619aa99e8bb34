import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The built program. */
export const APM_MAIN: string = fileURLToPath(new URL("../../bundle/main.js", import.meta.url));

export interface ApmResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface ApmOptions {
  env?: Record<string, string>;
  cwd?: string;
}

/** Starts `apm ARGS` with pipes for its output; of the caller's environment it gets PATH and HOME only. */
export function spawnApm(args: readonly string[], options: ApmOptions = {}): ChildProcess {
  const { PATH = "", HOME = "" } = process.env;
  return spawn(process.execPath, [APM_MAIN, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH, HOME, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
}

/** Runs `apm ARGS` to its end. */
export function runApm(args: readonly string[], options: ApmOptions = {}): Promise<ApmResult> {
  const child = spawnApm(args, options);
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/** A folder of a test's own, removed when the test process ends. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "apm-cli-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
