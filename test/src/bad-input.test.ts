import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import {
  decodeAck,
  decodeRefuse,
  encodeHello,
  encodeMessage,
  type Hello,
  MessageType,
  UPLINK_SUBPROTOCOL,
} from "@apm-daemon/protocol";
import { AgentSocket } from "./support/agent-socket.ts";
import { type RunningApp, sendHellos, startHello } from "./support/apps.ts";
import { Cleanup } from "./support/cleanup.ts";
import { eventually } from "./support/eventually.ts";
import {
  type Collector,
  createKeyFile,
  runApm,
  StateDir,
  startCollector,
  startDaemon,
} from "./support/system.ts";
import { takeTurn } from "./support/take-turn.ts";
import { refusedUpgrade, UplinkSocket } from "./support/uplink-socket.ts";

const SENTENCE = /^\S[^\n]{20,}$/;

const HELLO: Hello = {
  app: "stranger",
  instance: "0123456789abcdef0123456789abcdef",
  pid: 1,
  startUnixMs: 0,
  runtime: "node 20.0.0",
  agentVersion: "0.0.0",
  firstUnacknowledged: 1,
};

describe("bad input to running parts", () => {
  const cleanup = new Cleanup();
  let collector: Collector;
  let keyFile: string;
  let daemonState: StateDir;
  let hello: RunningApp;
  let sent = 0;

  before(async () => {
    await takeTurn(cleanup);
    const collectorState = new StateDir(cleanup);
    collector = await startCollector(cleanup, collectorState);
    keyFile = await createKeyFile(collectorState, "good");
    daemonState = new StateDir(cleanup);
    const toml = "seal_interval_ms = 1000\n";
    await startDaemon(cleanup, { stateDir: daemonState, collectorUrl: collector.uplinkUrl, keyFile, toml });
    hello = await startHello(cleanup, { by: "--require", socket: daemonState.agentSocket });
  });
  after(() => cleanup.run());

  /** What a good app sends before, while and after `disturb` runs must all arrive. */
  async function disturbedBy(disturb: () => Promise<void>): Promise<void> {
    const send = async (): Promise<void> => {
      await sendHellos(hello, 50);
      sent += 50;
    };
    await send();
    await Promise.all([send(), disturb()]);
    await send();
    await eventually("all requests of the good app are in the API", 30_000, async () => {
      assert.equal(await collector.api.requestCount("hello"), sent);
    });
  }

  test("an agent of another version is told which versions are spoken", async () => {
    await disturbedBy(async () => {
      const socket = await AgentSocket.open(daemonState.agentSocket);
      socket.write(encodeHello(HELLO, 99));
      await socket.waitForClose();
      const [refuse] = socket.messages("refuse");
      assert.ok(refuse, "it was closed without a word");
      const { code, message, retryAfterMs } = decodeRefuse(refuse.payload);
      assert.equal(code, "VERSION_UNSUPPORTED");
      assert.match(message, SENTENCE);
      assert.match(message, /\b99\b.*\b1\b/);
      assert.ok(retryAfterMs > 0);
    });
  });

  const garbage: Record<string, Buffer> = {
    "random bytes": randomBytes(4_096),
    "an HTTP request": Buffer.from("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"),
    "a length of 4 GiB": Buffer.from("ffffffff04", "hex"),
    "a length of 0": Buffer.from("0000000004", "hex"),
    "a HELLO that is not JSON": encodeMessage(
      MessageType.hello,
      Buffer.from("0100 7b7b7b".replace(" ", ""), "hex"),
    ),
    "a HELLO without an app": encodeHello({ ...HELLO, app: "" }),
    "spans before any HELLO": encodeMessage(MessageType.spans, randomBytes(64)),
  };
  for (const [what, bytes] of Object.entries(garbage)) {
    test(`${what} on the agent socket: that peer is closed and counted, the others lose nothing`, async () => {
      const before = (await daemonState.status()).intake;
      await disturbedBy(async () => {
        const socket = await AgentSocket.open(daemonState.agentSocket);
        socket.write(bytes);
        await socket.waitForClose();
        for (const refuse of socket.messages("refuse")) {
          const { message } = decodeRefuse(refuse.payload);
          assert.match(message, SENTENCE);
          assert.match(message, /use one of the daemon's release/, "it says what to do");
        }
      });
      const after = (await daemonState.status()).intake;
      const counted = after.malformed + after.refused - before.malformed - before.refused;
      assert.ok(counted >= 1, `${JSON.stringify(before)} became ${JSON.stringify(after)}`);
    });
  }

  test("a frame that is none is counted and acknowledged, so that its agent does not send it for ever", async () => {
    await disturbedBy(async () => {
      const socket = await AgentSocket.open(daemonState.agentSocket);
      cleanup.add(() => socket.destroy());
      const sequence = Buffer.from("0100000000000000", "hex");
      socket.write(encodeHello({ ...HELLO, instance: "f".repeat(32) }));
      socket.write(encodeMessage(MessageType.spans, Buffer.concat([sequence, randomBytes(256)])));
      await eventually("the frame is acknowledged", 10_000, () => {
        assert.deepEqual(
          socket.messages("ack").map(({ payload }) => decodeAck(payload)),
          [1],
        );
      });
      assert.ok(!socket.isClosed);
    });
    const lost = (await daemonState.status()).dropped[HELLO.app];
    assert.deepEqual(Object.keys(lost ?? {}), ["frame_malformed"]);
  });

  test("garbage instead of a batch is refused for good, and the connection serves on", async () => {
    const key = readFileSync(keyFile, "utf8").trim();
    await disturbedBy(async () => {
      const socket = await UplinkSocket.open(cleanup, collector.uplinkUrl, key);
      socket.sendHello("00000000-0000-4000-8000-000000000000");
      await socket.waitFor("welcome");
      for (const bytes of [Buffer.alloc(0), Buffer.from("not a batch"), randomBytes(65_536)]) {
        socket.send(bytes);
        const nack = await socket.waitFor("nack");
        assert.match(nack.code, /^BATCH_(MALFORMED|CORRUPT)$/);
        assert.equal(nack.permanent, true);
        assert.match(nack.message, SENTENCE);
        assert.match(nack.message, /install daemon and collector of one release/);
        assert.ok(socket.isOpen);
      }
    });
    const hosts = (await collector.api.hosts()).map(({ host }) => host);
    assert.ok(!hosts.includes("foreign"), "a host that sent only garbage is no host");
  });

  test("an uplink with a wrong key, without one, or of another version is refused at the door", async () => {
    const key = readFileSync(keyFile, "utf8").trim();
    await disturbedBy(async () => {
      for (const wrong of ["", "apm_wrong", `${key}x`]) {
        const refused = await refusedUpgrade(collector.uplinkUrl, wrong, UPLINK_SUBPROTOCOL);
        assert.equal(refused.status, 401, refused.body);
        assert.match(refused.body.trim(), SENTENCE);
      }
      const other = await refusedUpgrade(collector.uplinkUrl, key, "apm-uplink.v99");
      assert.equal(other.status, 400, other.body);
      assert.match(other.body, /apm-uplink\.v1/);
    });
  });

  test("a daemon with a wrong key says so, keeps what it gets, and delivers it once the key is right", async () => {
    const wrongKeyFile = `${keyFile}-copy`;
    writeFileSync(wrongKeyFile, "apm_this-key-was-never-made\n", { mode: 0o600 });
    const stateDir = new StateDir(cleanup);
    const toml = 'seal_interval_ms = 1000\nhost_name = "second"\n';
    const options = { stateDir, collectorUrl: collector.uplinkUrl, keyFile: wrongKeyFile, toml };
    const daemon = await startDaemon(cleanup, options);
    const other = await startHello(cleanup, {
      by: "--import",
      socket: stateDir.agentSocket,
      name: "patient",
    });
    await sendHellos(other, 100);
    const report = await eventually("the daemon says that its key is refused", 10_000, async () => {
      const status = await stateDir.status();
      assert.equal(status.uplink.state, "refused", JSON.stringify(status.uplink));
      assert.notEqual(status.health, "ok", "a refused key does not heal by waiting");
      return status;
    });
    assert.match(report.uplink.reason, SENTENCE);
    assert.match(`${report.uplink.reason} ${report.problems.join(" ")}`, /key/i);
    const text = await runApm(["status", "--state-dir", stateDir.path]);
    assert.equal(text.code, 1, text.output);
    assert.match(text.stdout, /key/i);
    const complaints = daemon.output
      .split("\n")
      .filter((line) => /key/i.test(line) && /40|50|warn|error/.test(line));
    assert.ok(complaints.length >= 1, daemon.output);
    assert.doesNotMatch(
      daemon.output + text.output + JSON.stringify(report),
      /never-made/,
      "a key is never shown",
    );

    writeFileSync(wrongKeyFile, readFileSync(keyFile));
    await daemon.stop();
    await startDaemon(cleanup, options);
    await sendHellos(other, 100);
    await eventually("all requests are in the API", 40_000, async () => {
      assert.equal(await collector.api.requestCount("patient"), 200);
    });
  });
});

/** The same "random" bytes in every run, so that a failure can be repeated. */
function randomBytes(length: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, n) =>
    createHash("sha256").update(`garbage ${n}`).digest(),
  );
  return Buffer.concat(blocks).subarray(0, length);
}
