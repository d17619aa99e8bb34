import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Heartbeat } from "./heartbeat.ts";

const BEAT_MS = 5_000;

function beating(t: TestContext): { heartbeat: Heartbeat; said: string[]; line: { waitingBytes: number } } {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const said: string[] = [];
  const line = { waitingBytes: 0 };
  const heartbeat = new Heartbeat({
    ping: () => said.push("ping"),
    waitingBytes: () => line.waitingBytes,
    onBeat: () => undefined,
    onDead: () => said.push("dead"),
  });
  heartbeat.start();
  t.after(() => heartbeat.stop());
  return { heartbeat, said, line };
}

test("a silent peer is pinged twice, and dead after 40 s", (t) => {
  const { said } = beating(t);
  t.mock.timers.tick(7 * BEAT_MS);
  assert.deepEqual(said, ["ping", "ping"]);
  t.mock.timers.tick(BEAT_MS);
  assert.deepEqual(said, ["ping", "ping", "dead"]);
});

test("a word of the peer, or bytes that leave, start the count anew; bytes that stand still do not", (t) => {
  const { heartbeat, said, line } = beating(t);
  line.waitingBytes = 1_000;
  t.mock.timers.tick(7 * BEAT_MS);
  line.waitingBytes = 900;
  t.mock.timers.tick(7 * BEAT_MS);
  heartbeat.heard();
  t.mock.timers.tick(7 * BEAT_MS);
  assert.equal(said.includes("dead"), false);
  t.mock.timers.tick(BEAT_MS);
  assert.equal(said.at(-1), "dead");
});
