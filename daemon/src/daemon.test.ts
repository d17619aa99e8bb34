import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { AgentPeer } from "./testing/agent-peer.ts";
import { CollectorPeer } from "./testing/collector-peer.ts";
import { FrameWriter, KIND, spanId } from "./testing/frame-writer.ts";
import { tempDir } from "./testing/temp-dir.ts";
import { until } from "./testing/until.ts";

const MAIN = join(import.meta.dirname, "testing", "daemon-main.js");

/** A daemon's process over a folder, started and killed as often as a test wants. */
class DaemonProcess {
  readonly dir: string;
  readonly #config: string;
  #child: ChildProcess | null = null;
  errors = "";

  constructor(t: TestContext, collector: string) {
    this.dir = tempDir(t);
    this.#config = JSON.stringify({
      state_dir: this.dir,
      run_dir: join(this.dir, "run"),
      collector,
      host_name: "test",
      seal_interval_ms: 1_000,
    });
    t.after(() => this.end("SIGKILL"));
  }

  get agentSocket(): string {
    return join(this.dir, "run", "agent.sock");
  }

  start(): void {
    const child = spawn(process.execPath, ["--enable-source-maps", MAIN, this.#config]);
    const note = (text: Buffer): void => {
      this.errors += text.toString();
    };
    child.stdout.on("data", note);
    child.stderr.on("data", note);
    this.#child = child;
  }

  /** Resolves with the exit code; null for a kill. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null) return child?.exitCode ?? null;
    child.kill(signal);
    const [code] = (await once(child, "exit")) as [number | null];
    return code;
  }
}

/** An agent that keeps each frame until it is acknowledged, as agents do, and comes back whenever the daemon is gone. */
class FaithfulAgent {
  readonly #path: string;
  readonly #instance: string;
  readonly #frames = new FrameWriter();
  #unacknowledged: { sequence: number; message: Buffer }[] = [];
  #peer: AgentPeer | null = null;
  #requests = 0;

  constructor(path: string, number: number) {
    this.#path = path;
    this.#instance = `${number}`.repeat(32);
  }

  get requests(): number {
    return this.#requests;
  }

  get hasAllAcknowledged(): boolean {
    return this.#unacknowledged.length === 0;
  }

  /** Requests whose two calls come in the frame before the root's, so that some are open whenever the daemon dies. */
  work(): void {
    const root = spanId(++this.#requests);
    const endUnixUs = Date.now() * 1_000;
    const call = {
      root,
      name: "SELECT",
      kind: KIND.client,
      endUnixUs,
      durationUs: 10,
      attributes: { "db.system.name": "postgresql" },
    };
    const span = { root, id: root, name: "GET /", kind: KIND.server, endUnixUs, durationUs: 100 };
    for (const spans of [
      [
        { ...call, id: spanId(1e6) },
        { ...call, id: spanId(1e6 + 1) },
      ],
      [span],
    ]) {
      const message = this.#frames.message(spans);
      this.#unacknowledged.push({ sequence: this.#frames.lastSequence, message });
      this.#peer?.socket.write(message);
    }
  }

  /** Connects anew if needed and forgets what is acknowledged. */
  async tend(): Promise<void> {
    this.#forget();
    if (this.#peer !== null && !this.#peer.isClosed) return;
    this.#peer = null;
    const firstUnacknowledged = this.#unacknowledged[0]?.sequence ?? this.#frames.lastSequence + 1;
    const hello = { instance: this.#instance, firstUnacknowledged };
    const peer = await AgentPeer.greet(this.#path, hello).catch(() => null);
    if (peer === null || peer.welcome === null) return;
    this.#peer = peer;
    this.#forget();
    for (const { message } of this.#unacknowledged) peer.socket.write(message);
  }

  leave(): void {
    this.#peer?.socket.destroy();
  }

  #forget(): void {
    const last = this.#peer?.lastAck ?? 0;
    this.#unacknowledged = this.#unacknowledged.filter(({ sequence }) => sequence > last);
  }
}

interface Totals {
  requests: number;
  calls: number;
  received: number;
  databaseUs: number;
}

function totalsOf(collector: CollectorPeer): Totals {
  const totals = { requests: 0, calls: 0, received: 0, databaseUs: 0 };
  for (const { header } of collector.batches.values()) {
    for (const row of header.actions) {
      totals.requests += row.requests;
      totals.databaseUs += row.databaseUs;
    }
    for (const row of header.operations) totals.calls += row.calls;
    for (const row of header.ledger) totals.received += row.received;
  }
  return totals;
}

/** Kills come after a pause that differs, so that they fall before, into and after seals and replays. */
const KILLS = 10;

test("ten kill -9 at any moment, a collector that drops out: nothing is lost, nothing counted twice", async (t) => {
  const collector = await CollectorPeer.start(t);
  const daemon = new DaemonProcess(t, collector.url);
  const agents = [1, 2, 3].map((number) => new FaithfulAgent(daemon.agentSocket, number));
  t.after(() => agents.forEach((agent) => agent.leave()));
  daemon.start();
  await until("the daemon listens", () => existsSync(daemon.agentSocket));

  for (let kill = 0; kill < KILLS; kill++) {
    const diesAt = performance.now() + 300 + ((kill * 397) % 1_500);
    while (performance.now() < diesAt) {
      for (const agent of agents) {
        await agent.tend();
        agent.work();
      }
      await sleep(2);
    }
    if (kill % 3 === 0) collector.cut();
    await daemon.end("SIGKILL");
    for (const agent of agents) agent.work();
    daemon.start();
  }
  await until("all frames are acknowledged", async () => {
    for (const agent of agents) await agent.tend();
    return agents.every((agent) => agent.hasAllAcknowledged);
  });
  const requests = agents.reduce((sum, agent) => sum + agent.requests, 0);
  assert.ok(requests > 500, `${requests} requests are too few to prove anything`);
  await until("everything is counted", () => totalsOf(collector).requests >= requests);
  assert.equal(await daemon.end("SIGTERM"), 0);
  const waiting = readdirSync(join(daemon.dir, "outbox")).filter((name) => name.endsWith(".batch"));
  assert.deepEqual(waiting, []);
  const { requests: counted, calls, received, databaseUs } = totalsOf(collector);
  assert.deepEqual(
    { counted, calls, received },
    { counted: requests, calls: 2 * requests, received: 3 * requests },
  );
  assert.ok(Math.abs(databaseUs - 10 * requests) < 1, `${databaseUs} µs in the database`);
  const numbers = [...collector.batches.values()].map(({ header }) => header.number).sort((a, b) => a - b);
  assert.deepEqual(
    numbers,
    numbers.map((_, i) => i + 1),
  );
  assert.equal(daemon.errors, "");
});

test("SIGTERM delivers what was taken in up to the last moment", async (t) => {
  const collector = await CollectorPeer.start(t);
  const daemon = new DaemonProcess(t, collector.url);
  daemon.start();
  await until("the daemon listens", () => existsSync(daemon.agentSocket));
  const agent = new FaithfulAgent(daemon.agentSocket, 1);
  await until("the agent is in", async () => {
    await agent.tend();
    return collector.connections > 0;
  });
  for (let i = 0; i < 100; i++) agent.work();
  await until("all is acknowledged", async () => {
    await agent.tend();
    return agent.hasAllAcknowledged;
  });
  assert.equal(await daemon.end("SIGTERM"), 0);
  assert.equal(totalsOf(collector).requests, 100);
});

test("a second daemon on the same state folder is told off, the first goes on", async (t) => {
  const collector = await CollectorPeer.start(t);
  const daemon = new DaemonProcess(t, collector.url);
  daemon.start();
  await until("the daemon listens", () => existsSync(daemon.agentSocket));
  const second = spawn(process.execPath, [
    MAIN,
    JSON.stringify({ state_dir: daemon.dir, run_dir: daemon.dir }),
  ]);
  let told = "";
  second.stderr.on("data", (text: Buffer) => {
    told += text.toString();
  });
  // Not "exit": its last words may still be in the pipe then.
  const [code] = (await once(second, "close")) as [number];
  assert.equal(code, 1);
  assert.match(told, /another daemon \(process \d+\) works in the state folder/);
  const peer = await AgentPeer.greet(daemon.agentSocket);
  assert.equal(peer.welcome?.lastSequence, 0);
  peer.socket.destroy();
});
