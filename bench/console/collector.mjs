import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { sleep } from "../support/options.mjs";

const CLI = fileURLToPath(new URL("../../cli/bundle/main.js", import.meta.url));
/** The memory that the files take until they are read may be much on a first start. */
const START_MS = 120_000;

/** Starts the built `apm collector`, or `apm up`, as users do; `core` binds it to one. */
export async function startApm(command, stateDir, { core } = {}) {
  const port = await freePort();
  const args = [CLI, command, "--state-dir", stateDir, "--listen", `127.0.0.1:${port}`];
  const [program, ...rest] =
    core === undefined
      ? [process.execPath, ...args]
      : ["taskset", "-c", String(core), process.execPath, ...args];
  const child = spawn(program, rest, { stdio: ["ignore", "ignore", "inherit"] });
  const url = `http://127.0.0.1:${port}`;
  const untilMs = performance.now() + START_MS;
  while (
    !(await fetch(`${url}/api/v1/server`).then(
      (answer) => answer.ok,
      () => false,
    ))
  ) {
    if (child.exitCode !== null) throw new Error(`apm ${command} ended with exit code ${child.exitCode}`);
    if (performance.now() > untilMs) throw new Error(`apm ${command} does not answer at ${url}`);
    await sleep(100);
  }
  return {
    url,
    pid: child.pid,
    stop: async () => {
      child.kill("SIGTERM");
      while (child.exitCode === null && child.signalCode === null) await sleep(50);
    },
  };
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
