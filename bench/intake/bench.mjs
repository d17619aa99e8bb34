// What one daemon takes in, journals and counts: spans per second at full speed, and its CPU and memory at a steady
// 20,000 spans/s. The feeders run in processes of their own and encode nothing while they feed.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { startDaemon } from "../support/daemon.mjs";
import { median, print, readOptions, round, sleep } from "../support/options.mjs";
import { cpuSeconds, rssBytes } from "../support/process-cost.mjs";

const STEADY_SPANS_PER_SECOND = 20_000;
const FEEDERS = 4;
const { rounds, seconds } = readOptions(5, 10);

async function feed(socket, index, spansPerSecond) {
  const feeder = spawn(
    process.execPath,
    [
      fileURLToPath(new URL("feeder.mjs", import.meta.url)),
      socket,
      String(spansPerSecond),
      String(seconds),
      String(index),
    ],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const [line] = await once(createInterface(feeder.stdout), "line");
  return JSON.parse(line);
}

async function measure(spansPerSecond, feeders) {
  const daemon = await startDaemon();
  const feeding = Array.from({ length: feeders }, (_, i) =>
    feed(daemon.socket, i + 1, spansPerSecond / feeders),
  );
  await sleep(2_500);
  const cpuBefore = cpuSeconds(daemon.pid);
  const startedAt = performance.now();
  await sleep(seconds * 1_000 - 1_000);
  const cpuRatio = (cpuSeconds(daemon.pid) - cpuBefore) / ((performance.now() - startedAt) / 1_000);
  const rss = rssBytes(daemon.pid);
  const results = await Promise.all(feeding);
  const status = await daemon.status();
  await daemon.stop();
  return {
    spansPerSecond: results.reduce((sum, result) => sum + result.spansPerSecond, 0),
    bytesPerSpan: results[0].bytesPerSpan,
    cpuRatio,
    rssBytes: rss,
    dropped: status.dropped,
  };
}

async function run(what, spansPerSecond, feeders) {
  const results = [];
  for (let i = 0; i < rounds; i++) results.push(await measure(spansPerSecond, feeders));
  const of = (key) => median(results.map((result) => result[key]));
  print("intake", {
    what,
    spansPerSecond: Math.round(of("spansPerSecond")),
    cpuRatio: round(of("cpuRatio"), 3),
    rssMiB: round(of("rssBytes") / 1_048_576, 1),
    bytesPerSpan: round(of("bytesPerSpan"), 1),
    spansPerCpuSecond: Math.round(median(results.map((result) => result.spansPerSecond / result.cpuRatio))),
    dropped: results.map(({ dropped }) => dropped).filter((dropped) => Object.keys(dropped).length > 0),
    rounds,
  });
}

await run("full speed, 2 connections", 0, 2);
await run(
  `steady ${STEADY_SPANS_PER_SECOND} spans/s, ${FEEDERS} connections`,
  STEADY_SPANS_PER_SECOND,
  FEEDERS,
);
