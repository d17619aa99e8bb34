// What an app notices of its daemon (R15): how late its timers are, how many requests it answers, what the agent holds, and whether
// the daemon was told of each drop. Each daemon takes its turn in each round; medians of the rounds.
//   node bench/faults/app-side.mjs [--rounds 3] [--seconds 5]      or with the others: npm run bench -- faults --only R15
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Cleanup } from "../../test/dist/support/cleanup.js";
import { PacedApp } from "../../test/dist/support/paced-app.js";
import { StrangeDaemon } from "../../test/dist/support/strange-daemon.js";
import { startLoneDaemon } from "../../test/dist/support/system.js";
import { median, print, readOptions, round, sleep } from "../support/options.mjs";
import { saturate } from "../support/saturate.mjs";

/** Spans with 300 characters of their own: the agent's buffers are full within two seconds when nobody takes them. */
const [SPANS_PER_SECOND, TEXT_CHARS] = [5_000, 300];
const MAX_BUFFER_BYTES = 4_194_304;
const MAX_ADDED_DELAY_MS = 1;
const MIN_THROUGHPUT_RATIO = 0.97;
const WARM_UP_SECONDS = 2;

const strange = async (cleanup, strangeness) => ({
  socket: (await StrangeDaemon.start(cleanup, strangeness)).socketPath,
});
const real = async (cleanup, isStopped) => {
  const { stateDir, daemon } = await startLoneDaemon(cleanup);
  if (isStopped) process.kill(daemon.pid, "SIGSTOP");
  cleanup.add(() => void process.kill(daemon.pid, "SIGCONT"));
  return { socket: stateDir.agentSocket, stateDir, go: () => process.kill(daemon.pid, "SIGCONT") };
};
const DAEMONS = {
  "no agent": async () => ({ socket: null }),
  up: (cleanup) => real(cleanup, false),
  absent: async (cleanup) => ({ socket: join(cleanup.tempDir(), "none.sock") }),
  stopped: (cleanup) => real(cleanup, true),
  "reads 1 byte/s": (cleanup) => strange(cleanup, "reads 1 byte/s"),
  "sends garbage": (cleanup) => strange(cleanup, "sends garbage"),
  "hangs up": (cleanup) => strange(cleanup, "hangs up"),
};

/** Spans that the daemon neither has nor was told of, once it works; null where no daemon can say. */
async function missingSpans(daemon, made) {
  if (daemon.stateDir === undefined) return null;
  daemon.go();
  let missing = made;
  for (let tries = 0; tries < 100 && missing !== 0; tries++) {
    await sleep(200);
    const { intake, dropped } = await daemon.stateDir.status();
    const told = Object.values(dropped["bench"] ?? {}).reduce((sum, spans) => sum + spans, 0);
    missing = made - intake.spans - told;
  }
  return missing;
}

async function measure(name, seconds) {
  const cleanup = new Cleanup();
  try {
    const daemon = await DAEMONS[name](cleanup);
    const app = await PacedApp.start(cleanup, {
      socket: daemon.socket,
      name: "bench",
      textChars: TEXT_CHARS,
    });
    // Compiling what runs for the first time would take more than the hundredth of the time that p99 is about.
    await app.pace(SPANS_PER_SECOND, WARM_UP_SECONDS);
    const report = await app.pace(SPANS_PER_SECOND, seconds);
    const warmUp = await saturate(`${app.url}/items/1`, WARM_UP_SECONDS);
    const { perSecond, answered } = await saturate(`${app.url}/items/1`, seconds);
    const missing = await missingSpans(daemon, report.made + warmUp.answered + answered);
    await app.end();
    return { ...report, requestsPerSecond: perSecond, missing };
  } finally {
    await cleanup.run();
  }
}

/** All rounds; one result a daemon, with what it is judged by. */
export async function measureAppSide(rounds, seconds) {
  const names = Object.keys(DAEMONS);
  const measured = Object.fromEntries(names.map((name) => [name, []]));
  for (let i = 0; i < rounds; i++)
    for (const name of [...names.slice(i % names.length), ...names.slice(0, i % names.length)])
      measured[name].push(await measure(name, seconds));
  const of = (name, key) => median(measured[name].map((one) => one[key]));
  return names.map((name) => ({
    daemon: name,
    loopDelayP99Ms: round(of(name, "loopDelayP99Ms")),
    addedDelayMs: round(of(name, "loopDelayP99Ms") - of("no agent", "loopDelayP99Ms")),
    requestsPerSecond: Math.round(of(name, "requestsPerSecond")),
    toDaemonUp: round(
      median(measured[name].map((one, i) => one.requestsPerSecond / measured.up[i].requestsPerSecond)),
      3,
    ),
    bufferBytes: Math.max(...measured[name].map(({ bufferBytes }) => bufferBytes)),
    writableLength: Math.max(...measured[name].map(({ writableLength }) => writableLength)),
    rssMb: Math.round(of(name, "rssBytes") / 1e6),
    missing:
      measured[name][0].missing === null ? null : Math.max(...measured[name].map((one) => one.missing)),
    rounds,
  }));
}

/** What of the promise was not kept, as sentences. */
function failuresOf(results) {
  const watched = results.filter(({ daemon }) => daemon !== "no agent");
  return watched.flatMap((row) => {
    const failures = [];
    if (row.addedDelayMs > MAX_ADDED_DELAY_MS)
      failures.push(`${row.daemon}: timers are ${row.addedDelayMs} ms later at p99`);
    if (row.toDaemonUp < MIN_THROUGHPUT_RATIO)
      failures.push(`${row.daemon}: ${row.toDaemonUp} of the throughput with a daemon that is up`);
    if (row.bufferBytes > MAX_BUFFER_BYTES || row.writableLength > 0)
      failures.push(`${row.daemon}: ${row.bufferBytes} bytes held, ${row.writableLength} in a stream`);
    if (row.missing !== null && row.missing !== 0)
      failures.push(`${row.daemon}: ${row.missing} spans missing`);
    return failures;
  });
}

export const entries = [
  {
    promise: "R15",
    method: "an app beside each kind of daemon: timers, throughput, buffers, drops",
    run: async (say) => {
      const results = await measureAppSide(3, 5);
      for (const row of results) say(JSON.stringify(row));
      const lost = results.reduce((sum, { missing }) => sum + (missing ?? 0), 0);
      return { runs: 3 * results.length, lost, failures: failuresOf(results) };
    },
  },
];

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { rounds, seconds } = readOptions(3, 5);
  const results = await measureAppSide(rounds, seconds);
  for (const row of results) print("app-side", row);
  console.table(results);
  for (const failure of failuresOf(results)) console.log(`not kept: ${failure}`);
}
