import assert from "node:assert/strict";
import { closeSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Cleanup } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import type { Program } from "../support/program.ts";
import { SpanMaker } from "../support/span-maker.ts";
import {
  type Collector,
  createKeyFile,
  runApm,
  StateDir,
  startCollector,
  startDaemon,
} from "../support/system.ts";
import { takeTurn } from "../support/take-turn.ts";

interface AuditResult {
  apps: {
    app: string;
    created: number;
    stored: number;
    outbox: number;
    journal: number;
    inFlight: number;
    lost: number;
    dropped: Record<string, number>;
  }[];
  differences: string[];
  isComplete: boolean;
}

describe("apm audit", () => {
  const cleanup = new Cleanup();
  let collector: Collector;
  let keyFile: string;

  before(async () => {
    await takeTurn(cleanup);
    collector = await startCollector(cleanup, new StateDir(cleanup));
    keyFile = await createKeyFile(collector.stateDir, "audited");
  });
  after(() => cleanup.run());

  const daemonIn = (stateDir: StateDir, toml = "seal_interval_ms = 1000\n"): Promise<Program> =>
    startDaemon(cleanup, { stateDir, collectorUrl: collector.uplinkUrl, keyFile, toml });

  async function audit(stateDir: StateDir): Promise<{ code: number | null; result: AuditResult }> {
    const { code, stdout, stderr } = await runApm([
      "audit",
      "--json",
      "--state-dir",
      stateDir.path,
      "--collector",
      collector.uplinkUrl,
    ]);
    assert.notEqual(stdout, "", stderr);
    return { code, result: JSON.parse(stdout) as AuditResult };
  }

  /** The audit once everything that was made is stored or known to be lost. */
  async function settledAudit(stateDir: StateDir, app: string, created: number): Promise<AuditResult> {
    return eventually(`the ${created} spans of ${app} are stored or lost`, 60_000, async () => {
      const { result } = await audit(stateDir);
      const entry = result.apps.find((candidate) => candidate.app === app);
      assert.equal(entry?.created, created);
      assert.equal(entry.outbox + entry.journal + entry.inFlight, 0, JSON.stringify(result));
      return result;
    });
  }

  test("says complete, live and when all is stored, with the daemon running and without", async () => {
    const stateDir = new StateDir(cleanup);
    const daemon = await daemonIn(stateDir);
    const maker = await SpanMaker.start(cleanup, { socket: stateDir.agentSocket, name: "whole" });
    await maker.make(20_000);
    const live = await audit(stateDir);
    assert.deepEqual(live.result.differences, []);
    const created = await maker.make(10_000);
    assert.equal(created, 60_000);
    const settled = await settledAudit(stateDir, "whole", created);
    assert.equal(settled.isComplete, true, JSON.stringify(settled));
    await maker.end();
    await daemon.stop();
    const offline = await audit(stateDir);
    assert.deepEqual([offline.code, offline.result.isComplete], [0, true], JSON.stringify(offline.result));
  });

  test("tells drops of a full ring to the span, and exits 1", async () => {
    const stateDir = new StateDir(cleanup);
    const daemon = await daemonIn(stateDir);
    const maker = await SpanMaker.start(cleanup, { socket: stateDir.agentSocket, name: "overflow" });
    await maker.make(10);
    process.kill(daemon.pid, "SIGSTOP");
    await maker.make(200_000);
    process.kill(daemon.pid, "SIGCONT");
    const created = await maker.make(10);
    const { apps, differences, isComplete } = await settledAudit(stateDir, "overflow", created);
    const [entry] = apps;
    assert.ok((entry?.dropped["agent_ring_full"] ?? 0) > 0, "more than fits into the ring was made");
    assert.deepEqual(Object.keys(entry?.dropped ?? {}), ["agent_ring_full"]);
    assert.equal((entry?.stored ?? 0) + (entry?.lost ?? 0), created);
    assert.deepEqual([differences, isComplete], [[], false]);
    assert.equal((await audit(stateDir)).code, 1);
    await maker.end();
  });

  test("tells what a damaged segment took, to the span", async () => {
    const stateDir = new StateDir(cleanup);
    // Nothing is sealed before the damage: a seal would have it in a batch.
    const toml = "seal_interval_ms = 60000\n";
    let daemon = await daemonIn(stateDir, toml);
    const maker = await SpanMaker.start(cleanup, { socket: stateDir.agentSocket, name: "damaged" });
    await maker.make(10);
    await eventually("the early seal of the new app is over", 20_000, async () => {
      const { result } = await audit(stateDir);
      assert.equal(result.apps[0]?.stored, 20);
    });
    let created = 0;
    for (let isSpoilt = false; !isSpoilt; ) {
      created = await maker.make(5_000);
      await eventually("all is with the daemon", 20_000, async () => {
        const { result } = await audit(stateDir);
        assert.equal((result.apps[0]?.journal ?? 0) + (result.apps[0]?.stored ?? 0), created);
      });
      await daemon.kill();
      // The full minute may have sealed all of it in between: then there is more to make first.
      isSpoilt = spoilUnsealed(join(stateDir.path, "journal"));
      if (!isSpoilt) daemon = await daemonIn(stateDir, toml);
    }
    daemon = await daemonIn(stateDir);
    const { apps, differences } = await settledAudit(stateDir, "damaged", created);
    const [entry] = apps;
    assert.ok((entry?.dropped["corrupt"] ?? 0) > 0, JSON.stringify(apps));
    assert.deepEqual(Object.keys(entry?.dropped ?? {}), ["corrupt"]);
    assert.equal((entry?.stored ?? 0) + (entry?.lost ?? 0), created);
    assert.deepEqual(differences, []);
    await maker.end();
    await daemon.stop();
  });

  test("names a batch that somebody took away, and how many spans were in it", async () => {
    const stateDir = new StateDir(cleanup);
    const daemon = await daemonIn(stateDir);
    await collector.program.stop();
    const maker = await SpanMaker.start(cleanup, { socket: stateDir.agentSocket, name: "robbed" });
    await maker.make(1_000);
    const outbox = join(stateDir.path, "outbox");
    const waiting = (): string[] => readdirSync(outbox).filter((name) => name.endsWith(".batch"));
    await eventually("batches wait", 20_000, () => assert.ok(waiting().length >= 3));
    await maker.end();
    await daemon.stop();
    for (const name of waiting()) rmSync(join(outbox, name));
    collector = await startCollector(cleanup, collector.stateDir, collector.port);
    const { code, result } = await audit(stateDir);
    assert.equal(code, 1);
    const taken = result.differences.find((sentence) => sentence.includes("spans of robbed are missing"));
    assert.match(taken ?? "", /^batches? 1.* neither waiting nor stored: 2,000 spans of robbed are missing$/);
  });

  test("says what to do when it cannot look", async () => {
    const empty = new StateDir(cleanup);
    const none = await runApm(["audit", "--state-dir", empty.path]);
    assert.equal(none.code, 3);
    assert.match(none.stderr, /no daemon runs with .* name its folder with --state-dir/);
    const stateDir = new StateDir(cleanup);
    await daemonIn(stateDir);
    const nobody = ["--collector", "ws://127.0.0.1:1"];
    const unreachable = await runApm(["audit", "--state-dir", stateDir.path, ...nobody]);
    assert.equal(unreachable.code, 3);
    assert.match(unreachable.stderr, /cannot be asked \(.*\): start it, or name another with --collector/);
    const wrong = await runApm(["audit", "--from", "yesterday"]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /--from must be a time such as/);
  });
});

/** Overwrites 20 bytes in the middle of what is not sealed; false when all of it is. */
function spoilUnsealed(journal: string): boolean {
  const name = readdirSync(journal).findLast((candidate) => candidate.endsWith(".seg")) ?? "";
  const path = join(journal, name);
  const { journal: range } = JSON.parse(readFileSync(join(journal, "cursor.json"), "utf8")) as {
    journal: { sealed: number };
  };
  const from = Math.max(0, range.sealed - Number(name.slice(0, 16)));
  const end = readFileSync(path).length;
  if (end - from < 10_000) return false;
  const fd = openSync(path, "r+");
  writeSync(fd, Buffer.alloc(20, 0xff), 0, 20, Math.floor((from + end) / 2));
  closeSync(fd);
  return true;
}
