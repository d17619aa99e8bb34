import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Cleanup } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { ACK_TYPE, FrameApp } from "../support/frame-app.ts";
import { skipWithout } from "../support/parts.ts";
import { Strace } from "../support/strace.ts";
import { type Collector, createKeyFile, StateDir, startCollector, startDaemon } from "../support/system.ts";
import { takeTurn } from "../support/take-turn.ts";

/** Frames that are sent one by one, each when the one before is acknowledged, and in bursts. */
const SINGLE_FRAMES = 300;
/** Large enough to be acknowledged at once; small ones that follow one another wait for a quarter of a second. */
const LARGE = { requests: 140, textChars: 1_000 };
const BURSTS = 20;
const FRAMES_PER_BURST = 100;

interface Seen {
  acks: number;
  frames: number;
  early: string[];
}

/** Goes through the main thread's calls in their order: an acknowledgement may name only what was written (and synced) before. */
function judge(lines: readonly string[], pid: number, mustSync: boolean): Seen {
  const seen: Seen = { acks: 0, frames: 0, early: [] };
  const written = new Set<number>();
  const safe = new Set<number>();
  for (const line of lines) {
    const call = new RegExp(`^${pid} +(\\w+)\\((.*)\\) += (-?\\d+)`).exec(line);
    if (call === null) continue;
    const [, name, args = "", result] = call;
    const target = bytesOf(/^\d+<([^>]*)>/.exec(args)?.[1] ?? "").toString();
    if (name === "fdatasync" && target.endsWith(".seg") && result === "0") {
      for (const sequence of written) safe.add(sequence);
    } else if ((name === "writev" || name === "write") && target.endsWith(".seg") && Number(result) > 0) {
      for (const sequence of frameSequences(args)) {
        written.add(sequence);
        if (!mustSync) safe.add(sequence);
      }
    } else if (name === "write" && target.startsWith("socket:")) {
      const sequence = ackSequence(args);
      if (sequence === null) continue;
      seen.acks++;
      if (!safe.has(sequence)) seen.early.push(line);
    }
  }
  seen.frames = written.size;
  return seen;
}

/** Sequence numbers of the frames in a write to the journal: each payload's first bytes follow its record's prefix. */
function frameSequences(args: string): number[] {
  const parts = [...args.matchAll(/iov_base="([^"]*)"/g)].map(([, hex = ""]) => bytesOf(hex));
  return parts.flatMap((bytes, i) => {
    const isFramePrefix = bytes.length === 26 && bytes[12] === 2;
    const payload = parts[i + 1];
    return isFramePrefix && payload !== undefined ? [payload.readUInt32LE(0)] : [];
  });
}

function ackSequence(args: string): number | null {
  const bytes = bytesOf(/, "([^"]*)"/.exec(args)?.[1] ?? "");
  return bytes.length === 13 && bytes.readUInt32LE(0) === 9 && bytes[4] === ACK_TYPE
    ? bytes.readUInt32LE(5)
    : null;
}

function bytesOf(escaped: string): Buffer {
  return Buffer.from(escaped.replaceAll("\\x", ""), "hex");
}

describe("R1: a frame is acknowledged only after it is journaled", { skip: skipWithout("strace") }, () => {
  const cleanup = new Cleanup();
  let collector: Collector;
  let keyFile: string;

  before(async () => {
    await takeTurn(cleanup);
    collector = await startCollector(cleanup, new StateDir(cleanup));
    keyFile = await createKeyFile(collector.stateDir, "acks");
  });
  after(() => cleanup.run());

  for (const fsync of ["seal", "always"] as const) {
    const [what, least] = fsync === "seal" ? ["written", 0] : ["written and synced", 1];
    test(`with journal.fsync = "${fsync}" what is acknowledged was ${what} before, in the order of the system calls`, async () => {
      const stateDir = new StateDir(cleanup);
      const daemon = await startDaemon(cleanup, {
        stateDir,
        collectorUrl: collector.uplinkUrl,
        keyFile,
        toml: `seal_interval_ms = 1000\njournal.fsync = "${fsync}"\n`,
      });
      const app = await FrameApp.connect(stateDir.agentSocket, `acks-${fsync}`);
      const strace = await Strace.attach(cleanup, daemon.pid, [
        "-y",
        "-xx",
        "-s",
        "64",
        "-e",
        "trace=write,writev,fdatasync",
        "-e",
        "signal=none",
        "-e",
        "abbrev=none",
      ]);
      for (let frame = 0; frame < SINGLE_FRAMES; frame++) {
        app.send(1, LARGE.requests, LARGE.textChars);
        while (app.acknowledged < app.lastSequence) await new Promise(setImmediate);
      }
      for (let burst = 0; burst < BURSTS; burst++) {
        app.send(FRAMES_PER_BURST);
        await app.allAcknowledged();
      }
      await strace.detach();
      const { acks, frames, early } = judge(strace.lines(), daemon.pid, least === 1);
      assert.deepEqual(early.slice(0, 3), [], `${early.length} early acknowledgements`);
      assert.equal(frames, SINGLE_FRAMES + BURSTS * FRAMES_PER_BURST);
      assert.ok(acks >= SINGLE_FRAMES + BURSTS, `${acks} acknowledgements`);
      await eventually("all requests are at the collector", 30_000, async () => {
        assert.equal(await collector.api.requestCount(`acks-${fsync}`), app.requests);
      });
    });
  }
});
