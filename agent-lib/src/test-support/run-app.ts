import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface AppEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** What users write: `--import @apm-daemon/agent/register`. */
export const REGISTER: string = fileURLToPath(import.meta.resolve("@apm-daemon/agent/register"));

/** Path of one of the apps that stand in for users' own: plain JavaScript, not compiled. */
export function appPath(name: string): string {
  return fileURLToPath(new URL(`../../test-apps/${name}`, import.meta.url));
}

const DEADLINE_MS = 30_000;

/** Runs node with arguments until it ends by itself; killed (and so failed) after 30 s. */
export async function runNode(args: readonly string[], env: Record<string, string> = {}): Promise<AppEnd> {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, NODE_OPTIONS: "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const timer = setTimeout(() => child.kill("SIGKILL"), DEADLINE_MS);
  return await new Promise((resolve) => {
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout, stderr });
    });
  });
}
