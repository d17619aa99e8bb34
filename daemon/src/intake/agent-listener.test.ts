import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import {
  DEFAULT_AGENT_SETTINGS,
  encodeAck,
  encodeBye,
  encodeGap,
  encodeHello,
  encodeMessage,
  encodeRuntime,
  type Gap,
  MessageType,
  type RuntimeFrame,
} from "@apm-daemon/protocol";
import { Journal } from "../journal/journal.ts";
import { AgentPeer, helloOf } from "../testing/agent-peer.ts";
import { FrameWriter, KIND, spanId } from "../testing/frame-writer.ts";
import { LoggedLines } from "../testing/logged-lines.ts";
import { tempDir } from "../testing/temp-dir.ts";
import { until } from "../testing/until.ts";
import { AgentListener } from "./agent-listener.ts";
import { FrameIntake } from "./frame-intake.ts";
import { InstanceRegistry } from "./instance-registry.ts";
import { type IntakeLimits, IntakeQuotas, MAX_UNFINISHED_BYTES } from "./intake-quotas.ts";
import type { PeerCredentialsReader } from "./peer-credentials.ts";
import { RepeatedEvents } from "./repeated-events.ts";
import { WriteGate } from "./write-gate.ts";

const LIMITS: IntakeLimits = {
  connectionsPerUid: 10,
  bytesPerSecondPerUid: 1e9,
  journalShare: 0.5,
  ringBytes: 1e9,
  sealIntervalMs: 10_000,
};

/** The intake on a real socket; what it would count is listed. */
class Intake {
  readonly path: string;
  readonly journalDir: string;
  readonly journal: Journal;
  readonly registry: InstanceRegistry;
  readonly intake: FrameIntake;
  readonly gate: WriteGate;
  /** Why nothing may be taken in. */
  held = "";
  readonly listener: AgentListener;
  readonly logged: LoggedLines = new LoggedLines();
  readonly counted: string[] = [];
  readonly gaps: Gap[] = [];
  readonly runtimes: RuntimeFrame[] = [];
  /** The agents' own counts. */
  readonly created: number[] = [];
  readonly events: string[] = [];

  constructor(
    dir: string,
    maxConnections: number,
    readPeer: PeerCredentialsReader | null,
    limits: Partial<IntakeLimits>,
    monoMs: () => number,
  ) {
    this.path = join(dir, "agent.sock");
    this.journalDir = join(dir, "journal");
    this.journal = new Journal({ dir: this.journalDir, segmentBytes: 4_000, capBytes: 1e9, fsync: "seal" });
    this.registry = new InstanceRegistry(this.journal);
    this.intake = new FrameIntake({
      journal: this.journal,
      counter: {
        acceptSpans: ({ app }, payload, position) => {
          assert.deepEqual(this.journal.readFrame(position), payload);
          this.counted.push(`${app} ${payload.readUInt32LE(0)}`);
        },
        acceptGap: (_, gap) => void this.gaps.push(gap),
        acceptCounts: (_, { spansCreated }) => void this.created.push(spansCreated),
        acceptCounters: () => undefined,
      },
      onRuntime: (_, frame) => void this.runtimes.push(frame),
      clock: { unixMs: () => 1_000 },
    });
    this.gate = new WriteGate({
      hold: () => this.held,
      describe: ({ code }) => `no: ${code}`,
      log: this.logged.log,
    });
    this.listener = new AgentListener({
      path: this.path,
      mode: 0o660,
      maxConnections,
      readPeer,
      quotas: new IntakeQuotas({ ...LIMITS, ...limits }, monoMs),
      events: new RepeatedEvents(this.logged.log, () => performance.now()),
      registry: this.registry,
      intake: this.intake,
      gate: this.gate,
      settings: { ...DEFAULT_AGENT_SETTINGS, sql: "off" },
      log: this.logged.log,
      clock: { unixMs: () => 2_000, monoMs: () => performance.now() },
      onOpen: ({ app }) => void this.events.push(`${app} open`),
      onEnd: ({ app, connections }) => void this.events.push(`${app} gone, ${connections} left`),
    });
  }

  static async start(
    t: TestContext,
    maxConnections = 10,
    readPeer: PeerCredentialsReader | null = null,
    limits: Partial<IntakeLimits> = {},
    monoMs: () => number = () => performance.now(),
  ): Promise<Intake> {
    const intake = new Intake(tempDir(t), maxConnections, readPeer, limits, monoMs);
    await intake.listener.start();
    t.after(async () => {
      await intake.listener.stop();
      intake.journal.close();
    });
    return intake;
  }

  /** Sequence numbers of all journaled frames, as a restart would find them. */
  journaled(): number[] {
    const sequences: number[] = [];
    const reader = new Journal({ dir: this.journalDir, segmentBytes: 4_000, capBytes: 1e9, fsync: "seal" });
    reader.replay((record) => {
      if (record.type === "frame") sequences.push(record.payload.readUInt32LE(0));
    });
    return sequences;
  }
}

function frames(count: number): Buffer[] {
  const writer = new FrameWriter();
  const root = spanId(1);
  return Array.from({ length: count }, () =>
    writer.message([{ root, id: root, name: "x", kind: KIND.server, endUnixUs: 1, durationUs: 1 }]),
  );
}

test("HELLO is answered with WELCOME and the settings, frames with an ACK of what the journal holds", async (t) => {
  const intake = await Intake.start(t);
  const peer = await AgentPeer.greet(intake.path);
  assert.deepEqual(peer.welcome, {
    version: 1,
    lastSequence: 0,
    settings: { sql: "off", flushIntervalMs: 100, overheadBudgetRatio: 0.03 },
  });
  peer.socket.write(Buffer.concat(frames(3)));
  await until("the frames are acknowledged", () => peer.lastAck === 3);
  assert.deepEqual(intake.journaled(), [1, 2, 3]);
  assert.deepEqual(intake.counted, ["shop 1", "shop 2", "shop 3"]);
  assert.equal(peer.said[0], MessageType.welcome);
  assert.deepEqual(
    intake.registry.connected().map(({ app }) => app),
    ["shop"],
  );
  peer.socket.end();
  await until("the connection is gone", () => intake.listener.connections === 0);
  assert.deepEqual(intake.events, ["shop open", "shop gone, 0 left"]);
});

test("a stream cut into single bytes is read as well", async (t) => {
  const intake = await Intake.start(t);
  const peer = await AgentPeer.connect(intake.path);
  peer.socket.setNoDelay(true);
  for (const byte of Buffer.concat([encodeHello(helloOf()), ...frames(2)])) {
    peer.socket.write(Buffer.of(byte));
    await new Promise(setImmediate);
  }
  await until("the frames are acknowledged", () => peer.lastAck === 2);
  assert.deepEqual(intake.journaled(), [1, 2]);
});

test("what is sent again after a reconnect is acknowledged, journaled and counted once", async (t) => {
  const intake = await Intake.start(t);
  const all = frames(4);
  const first = await AgentPeer.greet(intake.path);
  first.socket.write(Buffer.concat(all.slice(0, 3)));
  await until("the frames are acknowledged", () => first.lastAck === 3);
  first.socket.destroy();
  const second = await AgentPeer.greet(intake.path, { firstUnacknowledged: 2 });
  assert.equal(second.welcome?.lastSequence, 3);
  second.socket.write(Buffer.concat(all.slice(1)));
  await until("all is acknowledged", () => second.lastAck === 4);
  assert.deepEqual(intake.journaled(), [1, 2, 3, 4]);
  assert.equal(intake.counted.length, 4);
  assert.equal(intake.intake.counts.duplicates, 2);
  second.socket.write(all[0] as Buffer);
  await until("a duplicate alone is acknowledged too", () => second.acks.length > 1);
  assert.equal(second.lastAck, 4);
});

test("what an earlier daemon has acknowledged is not asked for", async (t) => {
  const intake = await Intake.start(t);
  const peer = await AgentPeer.greet(intake.path, { firstUnacknowledged: 6 });
  assert.equal(peer.welcome?.lastSequence, 5);
  peer.socket.write(Buffer.concat(frames(7).slice(5)));
  await until("the frames are acknowledged", () => peer.lastAck === 7);
  assert.equal(intake.intake.counts.sequenceJumps, 0);
});

test("two connections of one instance count each frame once; it is gone when both are", async (t) => {
  const intake = await Intake.start(t);
  const all = frames(4);
  const [first, second] = [await AgentPeer.greet(intake.path), await AgentPeer.greet(intake.path)];
  first.socket.write(Buffer.concat(all.slice(0, 2)));
  await until("the first two are acknowledged", () => first.lastAck === 2);
  second.socket.write(Buffer.concat(all));
  await until("all are acknowledged", () => second.lastAck === 4);
  assert.deepEqual(intake.journaled(), [1, 2, 3, 4]);
  first.socket.destroy();
  await until("one is left", () => intake.listener.connections === 1);
  assert.equal(intake.registry.connected().length, 1);
  second.socket.destroy();
  await until("none is left", () => intake.listener.connections === 0);
  assert.equal(intake.registry.connected().length, 0);
  assert.deepEqual(intake.events.slice(2), ["shop gone, 1 left", "shop gone, 0 left"]);
});

test("RUNTIME, GAP and BYE frames take their place in the sequence", async (t) => {
  const intake = await Intake.start(t);
  const peer = await AgentPeer.greet(intake.path);
  const runtime: RuntimeFrame = {
    unixMs: 1,
    eventLoopDelayP99Ms: 2,
    eventLoopUtilizationRatio: 0.5,
    gcPauseMs: 3,
    heapUsedBytes: 4,
    heapTotalBytes: 5,
    spansCreated: 6,
    spansDropped: 7,
    spansFramed: 5,
    spansReported: 1,
    inFlight: [],
  };
  const messages = [
    frames(1)[0] as Buffer,
    encodeRuntime(2, runtime),
    encodeGap(3, { dropped: { full: 2 } }),
    encodeBye(4, { exitCode: 0, spansCreated: 9, spansFramed: 7, spansReported: 2 }),
  ];
  peer.socket.write(Buffer.concat(messages));
  await until("they are acknowledged", () => peer.lastAck === 4);
  assert.deepEqual(intake.runtimes, [runtime]);
  assert.deepEqual(intake.created, [6, 9]);
  assert.deepEqual(intake.gaps, [{ dropped: { full: 2 } }]);
  assert.deepEqual(intake.journaled(), [1, 2, 3, 4]);
});

test("frames whose content is malformed are acknowledged, so that they do not come for ever, and counted as bad", async (t) => {
  const intake = await Intake.start(t);
  const peer = await AgentPeer.greet(intake.path);
  const gap = encodeGap(1, { dropped: {} });
  gap[gap.length - 1] = 0;
  peer.socket.write(gap);
  await until("it is acknowledged", () => peer.lastAck === 1);
  assert.equal(intake.intake.counts.malformed, 1);
  assert.equal(peer.isClosed, false);
});

test("messages of unknown types, and of the daemon's own, are passed over and counted", async (t) => {
  const intake = await Intake.start(t);
  const peer = await AgentPeer.greet(intake.path);
  const unknown = encodeMessage(MessageType.bye, Buffer.from("{}"));
  unknown[4] = 200;
  peer.socket.write(Buffer.concat([unknown, encodeAck(9), ...frames(1)]));
  await until("the frame is acknowledged", () => peer.lastAck === 1);
  assert.equal(intake.intake.counts.malformed, 2);
});

test("the frames before a bad byte in the same read are kept and acknowledged, then the connection ends", async (t) => {
  const tooLarge = Buffer.from([255, 255, 255, 127, 4]);
  const shortFrame = encodeMessage(MessageType.spans, Buffer.from("short"));
  const hugeSequence = encodeMessage(MessageType.spans, Buffer.alloc(20, 255));
  for (const [bad, code] of [
    [tooLarge, "FRAME_TOO_LARGE"],
    [Buffer.alloc(8), "FRAME_MALFORMED"],
    [shortFrame, "FRAME_MALFORMED"],
    [hugeSequence, "FRAME_MALFORMED"],
  ] as const) {
    const intake = await Intake.start(t);
    const good = await AgentPeer.greet(intake.path, { app: "good", instance: "b".repeat(32) });
    const peer = await AgentPeer.greet(intake.path);
    peer.socket.write(Buffer.concat([...frames(2), bad, ...frames(3).slice(2)]));
    await until("the connection ends", () => peer.isClosed);
    assert.equal(peer.lastAck, 2);
    assert.equal(peer.refusal?.code, code);
    assert.deepEqual(intake.journaled(), [1, 2]);
    assert.equal(intake.intake.counts.malformed, 1);
    good.socket.write(frames(1)[0] as Buffer);
    await until("others go on", () => good.lastAck === 1);
  }
});

test("who does not begin with HELLO, or says it wrongly, is told why", async (t) => {
  const wrong: [bytes: Buffer, code: string, sentence: RegExp][] = [
    [frames(1)[0] as Buffer, "HELLO_MALFORMED", /the first message must be HELLO, this is type 4/],
    [Buffer.from("GET / HTTP/1.1\r\n\r\n"), "FRAME_TOO_LARGE", /announced; the limit is 1048576/],
    [encodeHello(helloOf(), 7), "VERSION_UNSUPPORTED", /speaks protocol version 7, this daemon speaks 1:/],
    [encodeHello(helloOf({ instance: "x" })), "HELLO_MALFORMED", /instance must be 32 hex digits/],
    [encodeHello(helloOf({ app: "" })), "HELLO_MALFORMED", /app must be/],
    [encodeHello(helloOf({ startUnixMs: Number.MAX_SAFE_INTEGER })), "HELLO_MALFORMED", /too large/],
  ];
  const intake = await Intake.start(t);
  for (const [bytes, code, sentence] of wrong) {
    const peer = await AgentPeer.connect(intake.path);
    peer.socket.write(bytes);
    await until("the connection ends", () => peer.isClosed);
    assert.equal(peer.refusal?.code, code);
    assert.match(peer.refusal?.message ?? "", sentence);
    assert.equal(peer.welcome, null);
  }
  await until("none is left", () => intake.listener.connections === 0);
  assert.equal(intake.intake.counts.malformed, wrong.length);
  assert.deepEqual(intake.events, []);
});

test("who stays silent is sent away after 2 s", async (t) => {
  const intake = await Intake.start(t);
  const peer = await AgentPeer.connect(intake.path);
  await until("the connection ends", () => peer.isClosed);
  assert.equal(peer.refusal?.code, "HELLO_MALFORMED");
  assert.match(peer.refusal?.message ?? "", /no HELLO arrived within 2 s/);
});

test("the last connection that has room is served, the next one is told that there are too many", async (t) => {
  const intake = await Intake.start(t, 2);
  const hello = (letter: string): { instance: string } => ({ instance: letter.repeat(32) });
  const first = await AgentPeer.greet(intake.path, hello("a"));
  const second = await AgentPeer.greet(intake.path, hello("b"));
  const third = await AgentPeer.greet(intake.path, hello("c"));
  assert.notEqual(second.welcome, null);
  assert.equal(third.refusal?.code, "TOO_MANY_CONNECTIONS");
  assert.match(third.refusal?.message ?? "", /has 2 connections already: raise limits.connections/);
  await until("the third is closed", () => third.isClosed);
  assert.equal(intake.listener.quotas.refusals.total, 1);
  first.socket.destroy();
  await until("one is left", () => intake.listener.connections === 1);
  const fourth = await AgentPeer.greet(intake.path, hello("d"));
  assert.notEqual(fourth.welcome, null);
});

test("BYE tells a process's end from a lost connection", async (t) => {
  const intake = await Intake.start(t);
  const peer = await AgentPeer.greet(intake.path);
  peer.socket.end(encodeBye(1, { exitCode: 0, spansCreated: 0, spansFramed: 0, spansReported: 0 }));
  await until("it is gone", () => intake.listener.connections === 0);
  assert.ok(intake.logged.sentences.includes("an app's process ended"));
  const lost = await AgentPeer.greet(intake.path);
  lost.socket.destroy();
  await until("it is gone", () => intake.listener.connections === 0);
  assert.ok(intake.logged.sentences.includes("an app's connection ended"));
});

test("at its stop the daemon tells the agents to come back, and acknowledges nothing more", async (t) => {
  const intake = await Intake.start(t);
  const peer = await AgentPeer.greet(intake.path);
  await intake.listener.stop();
  assert.equal(peer.refusal?.code, "SHUTTING_DOWN");
  assert.equal(peer.refusal?.retryAfterMs, 1_000);
  await assert.rejects(AgentPeer.connect(intake.path), { code: "ENOENT" });
});

test("while the journal cannot be written nothing is acknowledged and no more is read; then all is, once, in order", async (t) => {
  const intake = await Intake.start(t);
  const all = frames(400);
  const peer = await AgentPeer.greet(intake.path);
  const obstacle = join(intake.journalDir, `${"0".repeat(16)}.seg`);
  mkdirSync(obstacle);
  const startedAt = performance.now();
  peer.socket.write(all[0] as Buffer);
  await until("the gate is closed", () => intake.gate.problem === "no: EISDIR");
  for (const frame of all.slice(1)) peer.socket.write(frame);
  const second = await AgentPeer.greet(intake.path, { instance: "b".repeat(32) });
  second.socket.write(Buffer.concat(frames(2)));
  await until("both wait", () => intake.gate.waiting === 2);
  // Several attempts later it is still so, said once.
  await until("it was tried again", () => performance.now() > startedAt + 1_200);
  assert.deepEqual([peer.acks, second.acks, intake.counted], [[], [], []]);
  assert.deepEqual([peer.isClosed, second.isClosed], [false, false]);
  assert.equal(intake.logged.sentences.filter((line) => line === "no: EISDIR").length, 1);
  rmSync(obstacle, { recursive: true });
  await until("all is acknowledged", () => peer.lastAck === 400 && second.lastAck === 2);
  assert.deepEqual(
    intake.counted.map((line) => Number(line.split(" ")[1])).filter((_, i) => i !== 1 && i !== 2),
    all.map((_, i) => i + 1),
  );
  assert.equal(intake.gate.problem, "");
  assert.equal(intake.intake.counts.duplicates, 0);
  assert.equal(readdirSync(intake.journalDir).filter((name) => name.endsWith(".seg")).length > 0, true);
});

test("what an app wrote before it ended waits too, while the journal cannot be written", async (t) => {
  const intake = await Intake.start(t);
  intake.held = "not yet";
  const peer = await AgentPeer.greet(intake.path);
  peer.socket.write(Buffer.concat(frames(3)));
  await until("they wait", () => intake.gate.waiting === 1);
  peer.socket.destroy();
  intake.held = "";
  await until("they are taken in", () => intake.counted.length === 3);
  await until("the connection is gone", () => intake.listener.connections === 0);
  assert.deepEqual(intake.journaled(), [1, 2, 3]);
});

test("a stop while the journal cannot be written acknowledges nothing, and leaves nothing running", async (t) => {
  const intake = await Intake.start(t);
  intake.held = "never";
  const peer = await AgentPeer.greet(intake.path);
  peer.socket.write(Buffer.concat(frames(3)));
  await until("they wait", () => intake.gate.waiting === 1);
  await intake.listener.stop();
  await until("nothing waits", () => intake.gate.waiting === 0);
  assert.deepEqual([peer.acks, intake.journaled()], [[], []]);
  assert.equal(peer.refusal?.code, "SHUTTING_DOWN");
});

test("acknowledgements that an agent does not read do not pile up; it gets the last one when it reads", async (t) => {
  const intake = await Intake.start(t);
  const peer = await AgentPeer.greet(intake.path);
  peer.socket.pause();
  const [first, second] = frames(2);
  // Each but one is a duplicate, and each would be acknowledged.
  for (let i = 0; i < 5_000; i++) {
    peer.socket.write(first as Buffer);
    await new Promise(setImmediate);
  }
  peer.socket.write(second as Buffer);
  await until("the daemon has read all", () => intake.counted.length === 2);
  peer.socket.resume();
  await until("the last is acknowledged", () => peer.lastAck === 2);
  assert.ok(peer.acks.length < 3_000, `${peer.acks.length} acknowledgements`);
});

test("what an app wrote before it ended is taken in, although nobody is left to acknowledge to", async (t) => {
  const intake = await Intake.start(t);
  const all = frames(1_500);
  const file = join(tempDir(t), "written");
  writeFileSync(file, Buffer.concat([encodeHello(helloOf()), ...all]));
  const script = `
    const socket = require("node:net").connect(process.argv[1]);
    socket.on("connect", () => {
      const fs = require("node:fs");
      const bytes = fs.readFileSync(process.argv[2]);
      for (let at = 0; at < bytes.length; ) {
        try { at += fs.writeSync(socket._handle.fd, bytes, at); } catch (error) { if (error.code !== "EAGAIN") throw error; }
      }
      process.exit(0);
    });`;
  const app = spawn(process.execPath, ["-e", script, intake.path, file], { stdio: "inherit" });
  const [exitCode] = await once(app, "exit");
  assert.equal(exitCode, 0);
  await until("the connection has ended", () => intake.events.includes("shop gone, 0 left"));
  assert.equal(intake.counted.length, all.length);
});

test("a stop takes in what an agent wrote before it hung up", async (t) => {
  const intake = await Intake.start(t);
  const peer = await AgentPeer.greet(intake.path);
  peer.socket.write(Buffer.concat(frames(1_500)));
  const stopped = intake.listener.stop();
  await until("the agent is asked to hang up", () => peer.refusal !== null);
  peer.socket.end();
  await stopped;
  assert.equal(intake.counted.length, 1_500);
});

/** Takes who connects for one of these users in turn. */
function users(...uids: number[]): PeerCredentialsReader {
  let next = 0;
  return () => ({ uid: uids[next++ % uids.length] as number, gid: 0, pid: null });
}

const instance = (number: number): { instance: string } => ({ instance: String(number).padStart(32, "0") });

test("one user's last connection is taken, the next one told why not; another user has room", async (t) => {
  const intake = await Intake.start(t, 10, users(1, 1, 1, 2), { connectionsPerUid: 2 });
  const peers: AgentPeer[] = [];
  for (let number = 0; number < 4; number++) peers.push(await AgentPeer.greet(intake.path, instance(number)));
  assert.deepEqual(
    peers.map(({ refusal }) => refusal?.code),
    [undefined, undefined, "TOO_MANY_CONNECTIONS", undefined],
  );
  assert.match(
    peers[2]?.refusal?.message ?? "",
    /^user 1 has 2 connections already: raise limits.connections_per_uid$/,
  );
  const { quotas } = intake.listener;
  assert.deepEqual(quotas.refusals.byReason(), { connections_per_uid: 1 });
  assert.deepEqual(
    quotas.users().map(({ uid, connections, refused }) => [uid, connections, refused]),
    [
      [1, 2, 1],
      [2, 1, 0],
    ],
  );
});

test("who says hello with another user's instance is refused, and its frames are not looked at", async (t) => {
  const intake = await Intake.start(t, 10, users(1, 2));
  const mine = await AgentPeer.greet(intake.path);
  const thief = await AgentPeer.connect(intake.path);
  thief.socket.write(
    Buffer.concat([encodeHello(helloOf({ firstUnacknowledged: 3 })), ...frames(5).slice(2)]),
  );
  await until("the connection ends", () => thief.isClosed);
  assert.equal(thief.refusal?.code, "INSTANCE_TAKEN");
  assert.deepEqual([thief.welcome, intake.journaled()], [null, []]);
  mine.socket.write(Buffer.concat(frames(2)));
  await until("the owner goes on", () => mine.lastAck === 2);
  assert.equal(intake.intake.counts.sequenceJumps, 0);
});

test("half messages that fill the memory for them cost who has most of them, not the others", async (t) => {
  // The clock stands still, so that none is late.
  const peers = users(1, ...Array.from({ length: 40 }, () => 2));
  const intake = await Intake.start(t, 100, peers, { connectionsPerUid: 100, ringBytes: 1e12 }, () => 0);
  const [frame = Buffer.alloc(0)] = frames(1);
  const half = Buffer.alloc(1_000_000);
  half.writeUInt32LE(1_048_576, 0);
  half[4] = MessageType.spans;
  const good = await AgentPeer.greet(intake.path, instance(0));
  const hostile: AgentPeer[] = [];
  for (let number = 1; number <= 40; number++)
    hostile.push(await AgentPeer.greet(intake.path, instance(number)));
  good.socket.write(frame.subarray(0, 20));
  for (const peer of hostile) peer.socket.write(half);
  const most = Math.floor(MAX_UNFINISHED_BYTES / half.length);
  await until(
    "those beyond the limit are refused",
    () => hostile.filter(({ isClosed }) => isClosed).length === 40 - most,
  );
  const refused = hostile.filter(({ refusal }) => refusal !== null);
  assert.equal(refused.length, 40 - most);
  assert.ok(refused.every(({ refusal }) => refusal?.code === "FRAME_INCOMPLETE"));
  assert.deepEqual(intake.listener.quotas.refusals.byReason(), { unfinished_bytes: 40 - most });
  good.socket.write(frame.subarray(20));
  await until("the other user's half message is whole", () => good.lastAck === 1);
});

test("a message that was begun and not finished is refused after 5 s, a silent connection is not", async (t) => {
  const intake = await Intake.start(t);
  const silent = await AgentPeer.greet(intake.path, instance(1));
  const slow = await AgentPeer.greet(intake.path, instance(2));
  const [first, second] = frames(2);
  slow.socket.write(Buffer.concat([first as Buffer, (second as Buffer).subarray(0, 9)]));
  const begunAt = performance.now();
  await until("it is refused", () => slow.isClosed);
  assert.ok(performance.now() - begunAt >= 5_000);
  assert.deepEqual([slow.refusal?.code, slow.lastAck, silent.isClosed], ["FRAME_INCOMPLETE", 1, false]);
});

test("who writes faster than its share is read at that speed, acknowledged, and loses nothing", async (t) => {
  const intake = await Intake.start(t, 10, users(1), { bytesPerSecondPerUid: 500_000 });
  const peer = await AgentPeer.greet(intake.path);
  const all = Buffer.concat(frames(10_000));
  const startedAt = performance.now();
  peer.socket.write(all);
  await until("it is held up", () => intake.listener.quotas.users()[0]?.isThrottled === true);
  await until("all is acknowledged", () => peer.lastAck === 10_000);
  const cost = all.length + 10_000 * 64;
  const seconds = (performance.now() - startedAt) / 1_000;
  assert.ok(seconds > (cost - 300_000) / 500_000 - 0.5, `${cost} bytes in ${seconds} s`);
  assert.equal(intake.counted.length, 10_000);
  assert.ok((intake.listener.quotas.users()[0]?.throttledMs ?? 0) > 0);
});

test("a stop takes in what a throttled user had written", async (t) => {
  const intake = await Intake.start(t, 10, users(1), { bytesPerSecondPerUid: 65_536 });
  const peer = await AgentPeer.greet(intake.path);
  peer.socket.write(Buffer.concat(frames(3_000)));
  await until("it is held up", () => intake.listener.quotas.users()[0]?.isThrottled === true);
  const stopped = intake.listener.stop();
  await until("the agent is asked to hang up", () => peer.refusal !== null);
  peer.socket.end();
  await stopped;
  assert.equal(intake.counted.length, 3_000);
});
