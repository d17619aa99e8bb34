import { Agent, get } from "node:http";

const CONNECTIONS = 16;
const BEAT_MS = 10;

/** Sends paced requests over kept-alive connections; resolves when all are answered. */
export async function load(port, requestsPerSecond, durationMs) {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const start = performance.now();
  const pending = new Set();
  let sent = 0;
  for (let elapsed = 0; elapsed < durationMs; elapsed = performance.now() - start) {
    const due = Math.floor((elapsed / 1_000) * requestsPerSecond);
    for (; sent < due; sent++) pending.add(fetchOnce(agent, port).finally(() => undefined));
    await new Promise((resolve) => setTimeout(resolve, BEAT_MS));
  }
  await Promise.all(pending);
  agent.destroy();
}

function fetchOnce(agent, port) {
  return new Promise((resolve, reject) => {
    get({ agent, port, host: "127.0.0.1", path: "/hello" }, (response) =>
      response.resume().on("end", resolve),
    ).on("error", reject);
  });
}
