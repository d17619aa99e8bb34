import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, describe, test } from "node:test";
import { Cleanup } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { startLoneDaemon } from "../support/lone-daemon.ts";
import { Peer } from "../support/peer.ts";
import { Program } from "../support/program.ts";
import { APM_PROGRAM } from "../support/system.ts";

/** Decides nothing but how long a broken build is waited for; machines may be busy. */
const PATIENCE_MS = 90_000;

const CONNECTIONS = 10_000;
const AT_ONCE = 2_000;
/** That make one burst. */
const PROCESSES = 2;
const MOST_RSS_BYTES = 250_000_000;

/** Null where there is no such file or no such limit. */
function numberIn(path: string, pattern: RegExp): number | null {
  try {
    const text = pattern.exec(readFileSync(path, "utf8"))?.[1];
    return text === undefined ? null : Number(text);
  } catch {
    return null;
  }
}

const files = numberIn("/proc/self/limits", /^Max open files +\d+ +(\d+)/m) ?? Number.POSITIVE_INFINITY;
const backlog = numberIn("/proc/sys/net/core/somaxconn", /^(\d+)/) ?? 0;
const skip =
  process.platform !== "linux"
    ? "needs Linux"
    : files < CONNECTIONS + 1_000
      ? `needs ${CONNECTIONS + 1_000} open files, ${files} are allowed`
      : backlog < AT_ONCE
        ? `needs net.core.somaxconn of ${AT_ONCE}, it is ${backlog}`
        : false;

describe("R19: many connections", { skip }, () => {
  const cleanup = new Cleanup();
  after(() => cleanup.run());

  test(`${CONNECTIONS} of them, ${AT_ONCE} at one moment, are all taken; the next one is told why not`, async (t) => {
    const { stateDir, program } = await startLoneDaemon(cleanup, {
      toml: `[limits]\nconnections = ${CONNECTIONS}\nconnections_per_uid = ${CONNECTIONS}\n`,
    });
    const before = rssBytes(program.pid);
    const peers: Peer[] = [];
    for (let opened = 0; opened < CONNECTIONS; opened += AT_ONCE) {
      const each = AT_ONCE / PROCESSES;
      const burst = Array.from({ length: PROCESSES }, (_, process) =>
        Peer.start(cleanup, stateDir.agentSocket, {
          instancePrefix: `${opened + process}`.padEnd(24, "a"),
          connections: each,
          comesAgain: true,
        }),
      );
      for (const peer of burst)
        await peer.waitFor("all are welcome", PATIENCE_MS, ({ welcomed }) => welcomed === each);
      peers.push(...burst);
    }
    for (const peer of peers) {
      const { errors, refused, closed } = peer.state();
      assert.equal(errors["EAGAIN"], undefined, "the kernel turned connects away");
      assert.deepEqual({ refused, closed }, { refused: {}, closed: 0 });
    }
    const cameAgain = peers.reduce((sum, peer) => sum + peer.state().cameAgain, 0);

    const tooMany = Peer.start(cleanup, stateDir.agentSocket, { instancePrefix: "3".repeat(24) });
    const turnedAway = await tooMany.waitFor("it is refused", PATIENCE_MS, ({ closed }) => closed === 1);
    assert.deepEqual(turnedAway.refused, { TOO_MANY_CONNECTIONS: 1 });
    assert.match(turnedAway.refusals[0] ?? "", /has 10000 connections already: raise limits\.connections$/);

    const slowReader = new Program({
      name: "a slow reader",
      command: "/bin/sh",
      args: [
        "-c",
        '"$@" | (sleep 1; wc -c)',
        "sh",
        process.execPath,
        APM_PROGRAM,
        "status",
        "--state-dir",
        stateDir.path,
        "--json",
      ],
    });
    const [, shownBytes = ""] = await slowReader.waitForOutput(/^(\d+)$/m);
    assert.ok(Number(shownBytes) > 100 * CONNECTIONS, `the status was cut off after ${shownBytes} bytes`);

    const { intake, self } = await stateDir.status();
    assert.equal(intake.connections, CONNECTIONS);
    assert.equal(intake.refusedBy?.["connections"], 1);
    const rss = rssBytes(program.pid);
    t.diagnostic(
      `memory with ${CONNECTIONS} connections: ${(rss / 1e6).toFixed(0)} MB, ${(before / 1e6).toFixed(0)} MB without; the daemon says ${(self.rssBytes / 1e6).toFixed(0)} MB; ${cameAgain} were late with their HELLO and came again`,
    );
    assert.ok(rss <= MOST_RSS_BYTES, `${rss} bytes`);

    const connectLines = program.output.split("\n").filter((line) => line.includes("an app connected"));
    assert.ok(connectLines.length < 20, `${connectLines.length} lines tell of ${CONNECTIONS} connections`);
    await Promise.all(peers.map((peer) => peer.program.kill()));
    await eventually("all are gone", PATIENCE_MS, async () => {
      assert.equal((await stateDir.status()).intake.connections, 0);
    });
  });

  test("a process that may open few files takes fewer connections, and says so to the others and in its log", async () => {
    const { stateDir, program } = await startLoneDaemon(cleanup, {
      toml: "",
      prefix: ["/bin/sh", "-c", 'ulimit -n 1024 && exec "$@"', "sh"],
    });
    const [, taken = ""] = await program.waitForOutput(
      /may open 1024 files, so (\d+) connections are taken instead of 4096/,
    );
    const room = Number(taken);
    assert.ok(room > 100 && room < 1_024, taken);
    const more = 200;
    const peers = Peer.start(cleanup, stateDir.agentSocket, { connections: room + more });
    const end = await peers.waitFor(
      "each has its answer",
      PATIENCE_MS,
      ({ welcomed, closed }) => welcomed + closed === room + more,
    );
    assert.deepEqual([end.welcomed, end.closedSilently, end.errors], [room, 0, {}]);
    assert.deepEqual(end.refused, { TOO_MANY_CONNECTIONS: more });
    assert.equal((await stateDir.status()).intake.refusedBy?.["connections"], more);
  });
});

function rssBytes(pid: number): number {
  return (numberIn(`/proc/${pid}/status`, /^VmRSS:\s+(\d+)/m) ?? 0) * 1_024;
}
