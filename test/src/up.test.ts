import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { sendHellos, startHello } from "./support/apps.ts";
import { Cleanup } from "./support/cleanup.ts";
import { eventually } from "./support/eventually.ts";
import { type Collector, StateDir, startUp } from "./support/system.ts";
import { takeTurn } from "./support/take-turn.ts";

const STOP_DEADLINE_MS = 5_000;

describe("apm up", () => {
  const cleanup = new Cleanup();
  let stateDir: StateDir;
  let up: Collector;
  let send: (count: number) => Promise<void>;
  let sent = 0;

  before(async () => {
    await takeTurn(cleanup);
    stateDir = new StateDir(cleanup);
    up = await startUp(cleanup, stateDir);
    const hello = await startHello(cleanup, { by: "apm run", socket: stateDir.agentSocket });
    send = async (count) => {
      await sendHellos(hello, count);
      sent += count;
    };
  });
  after(() => cleanup.run());

  test("prints the console's address and one line on how to run an app", async () => {
    await up.program.waitForOutput(new RegExp(up.url));
    const lines = up.program.output.split("\n").filter((line) => /\brun\b.*\bnode app\.js/.test(line));
    assert.equal(lines.length, 1, up.program.output);
  });

  test("keeps everything below its state directory", async () => {
    await eventually("both sockets are there", 10_000, () => {
      assert.ok(statSync(stateDir.agentSocket).isSocket());
      assert.ok(statSync(join(stateDir.path, "run", "status.sock")).isSocket());
    });
    for (const name of ["journal", "outbox", "store", "keys.json", "up.key"]) {
      assert.ok(
        existsSync(join(stateDir.path, name)),
        `${name} is missing: ${readdirSync(stateDir.path).join(" ")}`,
      );
    }
    assert.equal(statSync(join(stateDir.path, "up.key")).mode & 0o777, 0o600);
  });

  test("answers apm status while it runs", async () => {
    const report = await eventually("the daemon is connected", 20_000, async () => {
      const status = await stateDir.status();
      assert.equal(status.uplink.state, "connected");
      return status;
    });
    assert.equal(report.agentSocket, stateDir.agentSocket);
    assert.deepEqual(report.problems, []);
  });

  test("starts a killed daemon again and says so; nothing is lost", async () => {
    await send(200);
    const { pid } = await stateDir.status();
    process.kill(pid, "SIGKILL");
    await up.program.waitForOutput(/daemon.*(SIGKILL|killed).*start/i);
    await eventually("another daemon answers", 20_000, async () => {
      assert.notEqual((await stateDir.status()).pid, pid);
    });
    await send(200);
    await eventually("all requests are in the API", 40_000, async () => {
      assert.equal(await up.api.requestCount("hello"), sent);
    });
  });

  test("starts a killed collector again and says so; nothing is lost", async () => {
    const pid = childPids(up.program.pid).find((child) => /\bcollector\b/.test(commandLine(child)));
    assert.ok(pid !== undefined, "a child process runs the collector");
    await send(200);
    process.kill(pid, "SIGKILL");
    await up.program.waitForOutput(/collector.*(SIGKILL|killed).*start/i);
    await send(200);
    await eventually("all requests are in the API", 60_000, async () => {
      assert.equal(await up.api.requestCount("hello"), sent);
    });
  });

  test("ends within 5 s of Ctrl-C, with both parts, and what was just sent is there after the next start", async () => {
    const children = childPids(up.program.pid);
    assert.equal(children.length, 2);
    await send(300);
    const end = await up.program.stop("SIGINT", STOP_DEADLINE_MS);
    assert.deepEqual(end, { code: 0, signal: null });
    assert.deepEqual(children.filter(isAlive), []);
    // The app runs on meanwhile.
    await send(100);
    const api = up.api;
    up = await startUp(cleanup, stateDir, up.port);
    await eventually("all requests are in the API", 60_000, async () => {
      assert.equal(await api.requestCount("hello"), sent);
    });
  });
});

function childPids(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
    .trim()
    .split(" ")
    .filter(Boolean)
    .map(Number);
}

function commandLine(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}
