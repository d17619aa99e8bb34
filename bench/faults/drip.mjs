// R20: how much later a good client's frames are acknowledged beside a thousand connections that drip the bytes of a message, which
// the daemon closes after 5 s. Also by itself: node bench/faults/drip.mjs
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Cleanup } from "../../test/dist/support/cleanup.js";
import { startLoneDaemon } from "../../test/dist/support/lone-daemon.js";
import { Peer } from "../../test/dist/support/peer.js";
import { requestFrame } from "../../test/dist/support/request-frame.js";
import { median, print, round } from "../support/options.mjs";

const DRIPPERS = 1_000;
const ROUNDS = 3;
/** Together less than the 5 s that a dripper lives. */
const FRAMES = 15;
/** One of so many connections sends each 10 ms; each of them is acknowledged at once, since it was not for a quarter of a second. */
const CONNECTIONS = 30;
const EVERY_MS = 300;
const MOST_RATIO = 1.5;

/** Rounds of both cases in turn; answers medians of the rounds. */
export async function measureDrip(say = () => undefined) {
  const cleanup = new Cleanup();
  const failures = [];
  const p99Ms = { alone: [], beside: [] };
  try {
    const { stateDir } = await startLoneDaemon(cleanup, { toml: `[limits]\nconnections_per_uid = 2000\n` });
    const framesFile = join(stateDir.path, "frame");
    writeFileSync(framesFile, requestFrame(5));
    const good = async (name) => {
      const peer = Peer.start(cleanup, stateDir.agentSocket, {
        app: "good",
        instancePrefix: name.padEnd(24, "a"),
        connections: CONNECTIONS,
        connectWithinMs: EVERY_MS,
        behaviour: "paced",
        everyMs: EVERY_MS,
        frames: FRAMES,
        framesFile,
      });
      const { ackP99Ms } = await peer.waitFor(
        "acknowledged",
        180_000,
        ({ finished }) => finished === CONNECTIONS,
      );
      await peer.program.kill();
      return ackP99Ms;
    };
    for (let number = 0; number < ROUNDS; number++) {
      p99Ms.alone.push(await good(`0${number}`));
      const drippers = Peer.start(cleanup, stateDir.agentSocket, {
        app: "drip",
        instancePrefix: `1${number}`.padEnd(24, "b"),
        connections: DRIPPERS,
        comesAgain: true,
        behaviour: "drip",
        everyMs: 500,
      });
      await drippers.waitFor("dripping", 180_000, ({ welcomed }) => welcomed === DRIPPERS);
      p99Ms.beside.push(await good(`2${number}`));
      const { refused } = await drippers.waitFor("closed", 180_000, ({ closed }) => closed === DRIPPERS);
      if (refused.FRAME_INCOMPLETE !== DRIPPERS) failures.push(`refused: ${JSON.stringify(refused)}`);
      await drippers.program.kill();
      say(`p99 ${round(p99Ms.alone.at(-1))} ms alone, ${round(p99Ms.beside.at(-1))} ms beside ${DRIPPERS}`);
    }
  } finally {
    await cleanup.run();
  }
  const [alone, beside] = [median(p99Ms.alone), median(p99Ms.beside)];
  const ratio = beside / alone;
  if (ratio > MOST_RATIO) failures.push(`the p99 grew ${round(ratio)}-fold, ${MOST_RATIO} is the most`);
  return {
    p99AloneMs: round(alone),
    p99BesideMs: round(beside),
    ratio: round(ratio),
    rounds: ROUNDS,
    failures,
  };
}

export const entries = [
  {
    promise: "R20",
    method: `a good client's p99 beside ${DRIPPERS} connections that drip`,
    run: async (say) => {
      const { p99AloneMs, p99BesideMs, ratio, rounds, failures } = await measureDrip(say);
      say(`p99 ${p99AloneMs} ms alone, ${p99BesideMs} ms beside them: ${ratio}-fold`);
      return { runs: rounds, failures };
    },
  },
];

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const result = await measureDrip();
  print("drip", result);
  process.exit(result.failures.length === 0 ? 0 : 1);
}
