import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { decodeBatchIdentity, UPLINK_SUBPROTOCOL } from "@apm-daemon/protocol";
import { WebSocketServer } from "ws";
import { AgentSocket } from "../support/agent-socket.ts";
import { Cleanup } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { HostileAgent } from "../support/hostile-agent.ts";
import type { Program } from "../support/program.ts";
import { statusOf } from "../support/status-socket.ts";
import {
  type Collector,
  createKeyFile,
  runApm,
  StateDir,
  startCollector,
  startDaemon,
} from "../support/system.ts";

/** Would be a line of its own, colour the terminal, set its title, and hide what stood before. */
const FORGED =
  '\n{"level":60,"msg":"forged by s12"}\r\n\u001b[31mred\u001b]0;title\u0007\u009b2J\u2028\u202egnp.exe';
/** Names may hold no control characters; these they may hold. */
const ODD_NAME = 'shop","level":60,"x":"\u2028\u202egnp\\';
const FLOOD = 200;
const AT_ONCE = 20;

describe("S12: what comes from outside is one field of one line of the log", () => {
  const cleanup = new Cleanup();
  let collector: Collector;
  let hostile: WebSocketServer;
  let stateDir: StateDir;
  let daemon: Program;
  let refused = 0;

  before(async () => {
    collector = await startCollector(cleanup, new StateDir(cleanup));
    hostile = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => UPLINK_SUBPROTOCOL });
    await once(hostile, "listening");
    cleanup.add(() => {
      for (const socket of hostile.clients) socket.terminate();
      hostile.close();
    });
    hostile.on("connection", (socket) => {
      socket.on("message", (data, isBinary) => {
        if (!isBinary) {
          const welcome = {
            type: "welcome",
            version: 1,
            collectorVersion: FORGED,
            lastNumber: 0,
            codecs: ["gzip"],
          };
          socket.send(JSON.stringify(welcome));
          return;
        }
        const identity = decodeBatchIdentity(data as Buffer);
        const permanent = refused++ % 2 === 0;
        const nack = {
          type: "nack",
          ...identity,
          code: FORGED,
          message: FORGED.repeat(500),
          permanent,
          retryAfterMs: 200,
        };
        socket.send(JSON.stringify(nack));
        socket.send(FORGED);
      });
    });
    stateDir = new StateDir(cleanup);
    const keyFile = await createKeyFile(collector.stateDir, "lines");
    daemon = await startDaemon(cleanup, {
      stateDir,
      collectorUrl: `ws://127.0.0.1:${(hostile.address() as AddressInfo).port}`,
      keyFile,
      toml: 'seal_interval_ms = 1000\n[log]\nlevel = "debug"\n',
    });
  });
  after(() => cleanup.run());

  test("names of apps and actions, reasons of a collector, and a flood of garbage", async () => {
    const agent = await HostileAgent.greet(stateDir.agentSocket, { app: ODD_NAME });
    await agent.report([FORGED, ODD_NAME]);
    const named = await HostileAgent.greet(stateDir.agentSocket, { app: FORGED });
    await named.socket.waitForClose();
    for (let i = 0; i < FLOOD; i += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, sendGarbage));
    await eventually("the collector has refused batches in both ways", 20_000, () => assert.ok(refused >= 4));
    const { stdout } = await runApm(["status", "--state-dir", stateDir.path]);
    assertHarmless("apm status", stdout);
    assert.ok(!stdout.split("\n").some((line) => line.startsWith("{")), stdout);
    const doctor = await runApm(["doctor", "--state-dir", stateDir.path]);
    assertHarmless("apm doctor", doctor.stdout);
    assert.ok(
      (await statusOf(stateDir)).intake.malformed >= FLOOD,
      "each was counted, though not each was logged",
    );
  });

  test("the daemon's log: each line one JSON object, no forged one, bounded in length and number", async () => {
    await daemon.stop();
    const lines = daemon.stdout.trimEnd().split("\n");
    const records = lines.map(
      (line) => JSON.parse(line) as { level: number; msg: string; app?: string; times?: number },
    );
    assert.deepEqual(
      records.filter(({ msg, level }) => msg.startsWith("forged") || level === 60),
      [],
    );
    assert.ok(
      records.some(({ app }) => app === ODD_NAME),
      "the odd name is there, as it is",
    );
    assert.ok(
      records.some(({ msg }) => msg.startsWith("the collector cannot use a batch: \n{")),
      "the reason too",
    );
    for (const line of lines) assert.ok(line.length < 20_000, `${line.length} characters`);
    const closed = records.filter(({ msg }) => msg.startsWith("closed an agent connection"));
    const told = closed.reduce((sum, { times }) => sum + (times ?? 1), 0);
    assert.ok(told >= FLOOD, `${closed.length} lines tell of ${told} of ${FLOOD} connections`);
    assert.ok(closed.length <= FLOOD / 10, `${closed.length} lines`);
    assertHarmless("the log", daemon.stdout);
  });

  async function sendGarbage(): Promise<void> {
    const socket = await AgentSocket.open(stateDir.agentSocket);
    socket.write(Buffer.from(`\u0005\u0000\u0000\u0000${FORGED}`));
    await socket.waitForClose();
  }

  function assertHarmless(what: string, text: string): void {
    const found = /[^\P{Cc}\n]|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/u.exec(text)?.[0];
    assert.equal(found, undefined, `${what} holds ${JSON.stringify(found)}`);
  }
});
