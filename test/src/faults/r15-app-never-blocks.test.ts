import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Cleanup } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { PacedApp } from "../support/paced-app.ts";
import { StrangeDaemon, type Strangeness } from "../support/strange-daemon.ts";
import { startLoneDaemon } from "../support/system.ts";
import { takeTurn } from "../support/take-turn.ts";

const MAX_BUFFER_BYTES = 4_194_304;
/** Together more than the agent's buffers hold. */
const [RATE, SECONDS, TEXT_CHARS] = [3_000, 5, 400];
const REQUESTS = 100;
const STRANGE: readonly Strangeness[] = ["reads 1 byte/s", "sends garbage", "hangs up", "never reads"];

describe("an app whatever its daemon does", () => {
  const cleanup = new Cleanup();
  let plain: PacedApp;
  before(async () => {
    await takeTurn(cleanup);
    plain = await PacedApp.start(cleanup, { socket: null, name: "plain", textChars: 0 });
  });
  after(() => cleanup.run());

  /** Under load: answers as without the agent, memory within its bound, nothing waits in Node's own streams. */
  async function assertUnharmed(
    socket: string,
    name: string,
    beforeEnd?: () => Promise<void>,
  ): Promise<void> {
    const app = await PacedApp.start(cleanup, { socket, name, textChars: TEXT_CHARS });
    const paced = app.pace(RATE, SECONDS);
    for (let i = 0; i < REQUESTS; i++) assert.deepEqual(await answerOf(app, i), await answerOf(plain, i));
    const report = await paced;
    assert.equal(report.made, RATE * SECONDS);
    assert.ok(report.bufferBytes <= MAX_BUFFER_BYTES, JSON.stringify(report));
    assert.equal(report.writableLength, 0, "a stream of Node's would grow without end");
    await beforeEnd?.();
    await app.end();
    assert.equal(app.program.stderr, "");
  }

  for (const strangeness of STRANGE) {
    test(`a daemon that ${strangeness}`, async () => {
      const daemon = await StrangeDaemon.start(cleanup, strangeness);
      await assertUnharmed(daemon.socketPath, "strange");
      assert.ok(daemon.connections > 0);
    });
  }

  test("a daemon that is absent", () => assertUnharmed(join(cleanup.tempDir(), "none.sock"), "alone"));

  test("a daemon that works", async () => {
    const { stateDir } = await startLoneDaemon(cleanup);
    await assertUnharmed(stateDir.agentSocket, "fine", () =>
      eventually("each span is there, or told as dropped", 60_000, async () => {
        const { intake, dropped } = await stateDir.status();
        assert.equal(intake.spans + (dropped["fine"]?.["agent_ring_full"] ?? 0), RATE * SECONDS + REQUESTS);
      }),
    );
  });

  test("a daemon that is stopped", async () => {
    const { stateDir, daemon } = await startLoneDaemon(cleanup);
    process.kill(daemon.pid, "SIGSTOP");
    await assertUnharmed(stateDir.agentSocket, "halted");
    process.kill(daemon.pid, "SIGCONT");
  });
});

async function answerOf(app: PacedApp, number: number): Promise<object> {
  const answer = await fetch(`${app.url}/items/${number}`);
  const headers = Object.fromEntries([...answer.headers].filter(([name]) => name !== "date"));
  return { status: answer.status, headers, body: await answer.text() };
}
