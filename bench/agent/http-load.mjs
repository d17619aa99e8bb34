import { Agent, get } from "node:http";

const CONNECTIONS = 16;
const BEAT_MS = 10;

/** Sends paced requests over kept-alive connections; resolves with the 99th percentile of their times once all are answered. */
export async function load(port, requestsPerSecond, durationMs) {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const start = performance.now();
  const timesMs = [];
  const pending = [];
  const ask = async () => {
    const sentMs = performance.now();
    await fetchOnce(agent, port);
    timesMs.push(performance.now() - sentMs);
  };
  for (let elapsed = 0; elapsed < durationMs; elapsed = performance.now() - start) {
    const due = Math.floor((elapsed / 1_000) * requestsPerSecond);
    while (pending.length < due) pending.push(ask());
    await new Promise((resolve) => setTimeout(resolve, BEAT_MS));
  }
  await Promise.all(pending);
  agent.destroy();
  timesMs.sort((a, b) => a - b);
  return { p99Ms: timesMs[Math.floor(timesMs.length * 0.99)] };
}

function fetchOnce(agent, port) {
  return new Promise((resolve, reject) => {
    get({ agent, port, host: "127.0.0.1", path: "/hello" }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`answered ${response.statusCode}`));
      response.resume().on("end", resolve);
    }).on("error", reject);
  });
}
