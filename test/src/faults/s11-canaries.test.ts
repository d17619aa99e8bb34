import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type RunningApp, startCanary } from "../support/apps.ts";
import { textsOfBatch, waitingBatches } from "../support/batches.ts";
import { Cleanup } from "../support/cleanup.ts";
import { CollectorApi } from "../support/collector-api.ts";
import { type Databases, startSqlDatabases } from "../support/databases.ts";
import { eventually } from "../support/eventually.ts";
import { filesBelow } from "../support/files-below.ts";
import { freePort } from "../support/free-port.ts";
import { type PlannedRequest, sendAll } from "../support/load-generator.ts";
import { skipWithout } from "../support/parts.ts";
import type { Program } from "../support/program.ts";
import { SocketTap } from "../support/socket-tap.ts";
import {
  type Collector,
  createKeyFile,
  runApm,
  StateDir,
  startCollector,
  startDaemon,
} from "../support/system.ts";
import { takeTurn } from "../support/take-turn.ts";

const STATEMENTS = 10_000;
const PER_REQUEST = 50;
const FAILURES = 40;
const AT_ONCE = 4;
const APP = "canary";
/** The word, the number and the word in hex that are in each statement of the app, and in nothing else. */
const CANARY = /kanarienvogel|731973319731|6b616e617269656e/i;
/** Where this table is not named, no statement has come: then there is no proof. */
const MARK = "birdcage";

describe("S11: no value of 10,000 statements leaves the app", {
  skip: skipWithout("postgresql", "mariadb"),
}, () => {
  const cleanup = new Cleanup();
  const stateDir = new StateDir(cleanup);
  const collectorState = new StateDir(cleanup);
  let databases: Omit<Databases, "redisUrl">;
  let daemon: Program;
  const beganUnixMs = Date.now();
  let collector: Collector;
  let api: CollectorApi;
  let app: RunningApp;
  let tap: SocketTap;
  let port: number;
  let keyFile: string;
  let earlierLog = "";

  before(async () => {
    await takeTurn(cleanup);
    databases = await startSqlDatabases(cleanup);
    port = await freePort();
    keyFile = await createKeyFile(collectorState, "canary");
    daemon = await start();
    tap = await SocketTap.start(cleanup, stateDir.agentSocket);
    app = await startCanary(cleanup, { by: "--import", socket: tap.path, name: APP }, databases);
  });
  after(() => cleanup.run());

  function start(): Promise<Program> {
    return startDaemon(cleanup, {
      stateDir,
      collectorUrl: `ws://127.0.0.1:${port}`,
      keyFile,
      toml: 'seal_interval_ms = 1000\n[log]\nlevel = "debug"\n[traces]\nkeep = "all"\n',
    });
  }

  test("on the wire, in the journal and in the outbox: not one", async () => {
    const plan = (path: string, expectedStatus: number): PlannedRequest => ({
      url: app.url + path,
      method: "GET",
      expectedStatus,
      action: "",
    });
    const answers = await sendAll(
      [
        ...Array.from({ length: STATEMENTS / PER_REQUEST }, (_, i) =>
          plan(`/run/${i * PER_REQUEST}/${(i + 1) * PER_REQUEST}`, 200),
        ),
        ...Array.from({ length: FAILURES }, (_, n) => plan(`/fail/${n}`, 500)),
      ],
      AT_ONCE,
    );
    for (const { planned, status, body } of answers)
      assert.equal(status, planned.expectedStatus, `${planned.url}: ${body}`);
    await app.program.stop();
    await eventually("all is sealed", 20_000, () => {
      const requests = waitingBatches(stateDir).flatMap(({ header }) =>
        header.actions.filter((row) => row.app === APP),
      );
      const count = requests.reduce((sum, row) => sum + row.requests, 0);
      assert.equal(count, STATEMENTS / PER_REQUEST + FAILURES);
    });
    await daemon.stop();
    assertClean("the wire", [tap.received]);
    assertClean("the journal", filesBelow(join(stateDir.path, "journal")));
    assertClean("the outbox", waitingBatches(stateDir).flatMap(textsOfBatch));
  });

  test("in the store, its files and its answers: not one", async () => {
    collector = await startCollector(cleanup, collectorState, port);
    api = new CollectorApi(collector.url, beganUnixMs);
    earlierLog = daemon.output;
    daemon = await start();
    const requests = STATEMENTS / PER_REQUEST + FAILURES;
    await eventually("all has arrived", 30_000, async () => {
      assert.equal(await api.requestCount(APP), requests);
    });
    const path = `apps/${APP}`;
    const answers: unknown[] = [];
    for (const list of ["operations", "errors", "actions", "events"])
      answers.push(await api.get(`${path}/${list}`));
    const traces = await api.traces(APP);
    assert.equal(traces.length, requests);
    // Their bytes were looked through in the outbox; here it is about the answers, of which each failed one may be special.
    const shown = traces.filter(({ error }, i) => error || i % 10 === 0);
    for (const { traceId } of shown) answers.push(await api.trace(traceId));
    assertClean(
      "the store's answers",
      answers.map((answer) => Buffer.from(JSON.stringify(answer))),
    );
    await collector.program.stop();
    assertClean("the store's files", filesBelow(collectorState.path), { isMarked: false });
  });

  test("in the logs and in what people are shown: not one", async () => {
    const status = await runApm(["status", "--state-dir", stateDir.path]);
    await daemon.stop();
    for (const { output } of [status, { output: earlierLog }, daemon, collector.program, app.program])
      assertClean("a log", [Buffer.from(output)], { isMarked: false });
    assertClean("the daemon's folder", filesBelow(stateDir.path));
  });
});

function assertClean(where: string, parts: readonly Uint8Array[], { isMarked = true } = {}): void {
  const texts = parts.map((part) => Buffer.from(part).toString("latin1"));
  for (const text of texts) {
    const at = text.search(CANARY);
    assert.equal(
      at,
      -1,
      `${where} holds a value: ${JSON.stringify(text.slice(Math.max(0, at - 300), at + 100))}`,
    );
  }
  assert.ok(!isMarked || texts.some((text) => text.includes(MARK)), `${where} holds no statement at all`);
}
