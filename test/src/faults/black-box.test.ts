import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type RunningApp, startDoomed } from "../support/apps.ts";
import { Cleanup } from "../support/cleanup.ts";
import type { AppEventEntry } from "../support/collector-api.ts";
import { eventually } from "../support/eventually.ts";
import { createMemoryCgroup, skipWithoutMemoryCgroup } from "../support/memory-cgroup.ts";
import type { Program } from "../support/program.ts";
import {
  type Collector,
  createKeyFile,
  runApm,
  StateDir,
  startCollector,
  startDaemon,
} from "../support/system.ts";
import { takeTurn } from "../support/take-turn.ts";

const MIB = 1_048_576;
/** For a machine with many other things to do. */
const DEADLINE_MS = 60_000;
const LIMIT_BYTES = 128 * MIB;
/** A start of the daemon gives apps whose process has gone 3 s for what they left in the socket's queue. */
const LOOKED_AFTER_MS = 5_000;

describe("an app that ends without a goodbye", () => {
  const cleanup = new Cleanup();
  let collector: Collector;
  let daemon: Program;
  let options: Parameters<typeof startDaemon>[1];

  before(async () => {
    await takeTurn(cleanup);
    collector = await startCollector(cleanup, new StateDir(cleanup));
    options = {
      stateDir: new StateDir(cleanup),
      collectorUrl: collector.uplinkUrl,
      keyFile: await createKeyFile(collector.stateDir, "black box"),
      toml: "seal_interval_ms = 1000\n",
    };
    daemon = await startDaemon(cleanup, options);
  });
  after(() => cleanup.run());

  /** An app that has answered a request, all of which the daemon has: it is connected, and has frames in the journal. */
  async function startApp(name: string, cgroupProcs?: string): Promise<RunningApp> {
    const agent = { by: "--require", socket: options.stateDir.agentSocket, name } as const;
    const app = await startDoomed(cleanup, agent, cgroupProcs);
    await (await fetch(`${app.url}/work`)).text();
    await eventually(`the request of ${name} is counted`, DEADLINE_MS, async () => {
      assert.equal(await collector.api.requestCount(name), 1);
    });
    return app;
  }

  /** The app's only event, from the collector. */
  function onlyEvent(name: string): Promise<AppEventEntry> {
    return eventually(`an event of ${name} is in the API`, DEADLINE_MS, async () => {
      const events = await collector.api.events(name);
      assert.equal(events.length, 1, JSON.stringify(events.map(({ title }) => title)));
      return events[0] as AppEventEntry;
    });
  }

  test("killed by somebody: the report has what was in flight, the last statements and the curve", async () => {
    const app = await startApp("killed");
    // It never answers: the process dies of it.
    const hanging = fetch(`${app.url}/hang`).catch(() => null);
    await eventually("the daemon was told of the hanging request", DEADLINE_MS, async () => {
      const [process] = (await options.stateDir.status()).apps.filter(({ app }) => app === "killed");
      assert.ok(process?.instances[0]?.rssBytes, "and has measured the process");
    });
    await sleep(2_500); // Requests are told once they are older than a second, once a second.
    const killedUnixMs = Date.now();
    await app.program.kill();
    await hanging;

    const event = await onlyEvent("killed");
    assert.equal(event.kind, "crash");
    assert.match(event.title, /^(killed by SIGKILL|killed or crashed): /);
    assert.match(event.title, /no out-of-memory kill was counted/);
    assert.equal(event.pid, app.program.pid);
    assert.equal(event.exitCode, null);
    assert.ok(Math.abs(event.unixMs - killedUnixMs) < 5_000, "the time of the end");
    assert.deepEqual(
      event.inFlight.map(({ action }) => action),
      ["GET (unmatched)"],
    );
    assert.ok((event.inFlight[0]?.ageMs ?? 0) >= 1_000);
    assert.deepEqual(
      event.lastCalls.map(({ statement }) => statement),
      ["items", "orders", "users"].map((table) => `SELECT * FROM ${table} WHERE id = ?`),
    );
    assert.equal(event.lastCalls[0]?.system, "postgresql");
    assert.equal(event.lastCalls[0]?.target, "db.test");
    assert.equal(event.lastCalls[0]?.traceId, event.inFlight[0]?.traceId, "the statements are the request's");
    assert.ok(event.curve.rssBytes.some((bytes) => bytes !== null && bytes > 10 * MIB));
    assert.ok(event.curve.heapUsedBytes.some((bytes) => bytes !== null && bytes > MIB));
    assert.ok(event.crashWindowMs !== null && event.crashWindowMs < 5_000, String(event.crashWindowMs));

    const status = await runApm(["status", "--state-dir", options.stateDir.path]);
    assert.match(status.stdout, /Ended[\s\S]*killed[\s\S]*no out-of-memory kill was counted/);
  });

  test("killed by the kernel for lack of memory: the report says so, with the limit and the RSS before", {
    skip: skipWithoutMemoryCgroup(),
  }, async () => {
    const app = await startApp("starved", createMemoryCgroup(cleanup, LIMIT_BYTES));
    await sleep(1_500); // So that the process is measured at least once.
    void fetch(`${app.url}/eat`).catch(() => null);
    assert.equal((await app.program.ended).signal, "SIGKILL");

    const event = await onlyEvent("starved");
    assert.equal(event.kind, "crash");
    assert.match(
      event.title,
      /^killed by the kernel: out of memory in its cgroup \(limit 128 MiB, RSS \d+ MiB (less than a second|\d s) before\)$/,
    );
    assert.equal(event.evidence["oomKills"], 1);
    assert.equal(event.evidence["memoryLimitBytes"], LIMIT_BYTES);
    assert.equal(event.evidence["cgroupProcesses"], 1);
  });

  test("process.exit(1) and an uncaught exception: the report has the code, and the exception with its stack", async () => {
    const [left, threw] = await Promise.all([startApp("left"), startApp("threw")]);
    for (const { url, path } of [
      { url: left.url, path: "/exit" },
      { url: threw.url, path: "/throw" },
    ])
      await fetch(`${url}${path}`).catch(() => null);
    const exit = await onlyEvent("left");
    assert.equal(exit.kind, "exit");
    assert.equal(exit.title, "exited with code 1");
    assert.equal(exit.exitCode, 1);
    assert.equal(exit.crashWindowMs, 0, "it said goodbye: nothing is unknown");
    const uncaught = await onlyEvent("threw");
    assert.equal(uncaught.title, "exited with code 1: TypeError: the cart is undefined");
    assert.match(uncaught.error?.stack ?? "", /app\.js/);
  });

  test("across restarts of the daemon: the living are no event, the vanished are one, nothing is lost or doubled", async () => {
    const names = ["clean", "living", "vanished", "twice"];
    const [clean, living, vanished, twice] = await Promise.all(names.map((name) => startApp(name)));
    assert.ok(clean && living && vanished && twice);
    assert.equal((await clean.program.stop()).code, 0);
    await sleep(1_000); // The daemon notes who is connected within a fifth of a second, on a disk that may be busy.
    await twice.program.kill();
    // The event is made, the batch with it may be in any state: not made, made, sent, acknowledged.
    await eventually("the daemon tells of the end", DEADLINE_MS, () =>
      assert.match(daemon.output, /"app":"twice".*ended: killed/),
    );
    await daemon.kill();
    await vanished.program.kill();
    daemon = await startDaemon(cleanup, options);

    const event = await onlyEvent("vanished");
    assert.equal(event.kind, "vanished");
    assert.equal(event.title, "ended while the daemon was away: how is not known");
    assert.equal(event.pid, vanished.program.pid);
    assert.deepEqual(
      event.lastCalls.map(({ name }) => name),
      ["SELECT users"],
      "the journal has its last frames",
    );
    assert.equal((await onlyEvent("twice")).kind, "crash");

    await daemon.stop();
    daemon = await startDaemon(cleanup, options);
    await (await fetch(`${living.url}/work`)).text();
    await eventually("the living app reports again", DEADLINE_MS, async () => {
      assert.equal(await collector.api.requestCount("living"), 2);
    });
    await sleep(LOOKED_AFTER_MS);
    assert.deepEqual(await collector.api.events("living"), []);
    assert.deepEqual(await collector.api.events("clean"), []);
    for (const name of ["killed", "left", "threw", "vanished", "twice"])
      assert.equal((await collector.api.events(name)).length, 1, `${name} is told once, whatever restarts`);
  });
});
