import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A collector process that was started with `collector-process.ts`. */
export interface SpawnedCollector {
  /** Its first line: where it listens, or "failed CODE: sentence". */
  firstLine: string;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

export async function spawnCollector(stateDir: string): Promise<SpawnedCollector> {
  const script = fileURLToPath(new URL("./collector-process.js", import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [script, stateDir], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const [firstLine] = (await Promise.race([once(lines, "line"), exited.then(() => ["exited early"])])) as [
    string,
  ];
  return {
    firstLine,
    kill: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
