import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sleep } from "./options.mjs";

const CLI = fileURLToPath(new URL("../../cli/bundle/main.js", import.meta.url));

/** Starts the built daemon in a folder of its own. Its collector does not exist: batches wait in the outbox. */
export async function startDaemon() {
  const dir = mkdtempSync(join(tmpdir(), "apm-bench-"));
  const child = spawn(
    process.execPath,
    // Flags and environment as the unit and `apm up` give them.
    ["--max-semi-space-size=4", CLI, "daemon", "--state-dir", dir, "--collector", "ws://127.0.0.1:9"],
    { stdio: "ignore", env: { ...process.env, MALLOC_ARENA_MAX: "1" } },
  );
  const socket = join(dir, "run", "agent.sock");
  while (!existsSync(socket)) {
    if (child.exitCode !== null) throw new Error(`the daemon ended with exit code ${child.exitCode}`);
    await sleep(20);
  }
  return {
    pid: child.pid,
    socket,
    status: () => getJson(join(dir, "run", "status.sock"), "/status"),
    stop: async () => {
      child.kill("SIGTERM");
      while (child.exitCode === null && child.signalCode === null) await sleep(20);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function getJson(socketPath, path) {
  return new Promise((resolve, reject) => {
    request({ socketPath, path }, async (response) => {
      let text = "";
      for await (const chunk of response) text += chunk;
      resolve(JSON.parse(text));
    })
      .on("error", reject)
      .end();
  });
}
