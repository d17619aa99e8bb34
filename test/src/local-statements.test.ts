import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { textsOfBatch, waitingBatches } from "./support/batches.ts";
import { Cleanup } from "./support/cleanup.ts";
import { CollectorApi } from "./support/collector-api.ts";
import { eventually } from "./support/eventually.ts";
import { filesBelow } from "./support/files-below.ts";
import { freePort } from "./support/free-port.ts";
import type { Program } from "./support/program.ts";
import { SpanMaker } from "./support/span-maker.ts";
import {
  type Collector,
  createKeyFile,
  runApm,
  StateDir,
  startCollector,
  startDaemon,
} from "./support/system.ts";
import { takeTurn } from "./support/take-turn.ts";

const APP = "maker";
const REQUESTS = 5;
/** Of the statement that the app records; its operation, SELECT stock, is told. */
const TEXT = "count FROM stock";
const TOML = `seal_interval_ms = 1000
[settings]
sql = "local"
[traces]
keep = "all"
`;

describe('with settings.sql = "local"', () => {
  const cleanup = new Cleanup();
  const stateDir = new StateDir(cleanup);
  const collectorState = new StateDir(cleanup);
  const beganUnixMs = Date.now();
  let collector: Collector;
  let api: CollectorApi;
  let daemon: Program;
  let keyFile: string;
  let port: number;

  before(async () => {
    await takeTurn(cleanup);
    port = await freePort();
    keyFile = await createKeyFile(collectorState, "local");
    daemon = await start();
  });
  after(() => cleanup.run());

  function start(): Promise<Program> {
    const collectorUrl = `ws://127.0.0.1:${port}`;
    return startDaemon(cleanup, { stateDir, collectorUrl, keyFile, toml: TOML });
  }

  interface Told {
    text: string | null;
    hosts: { host: string; state: string }[];
  }
  async function askForText(statement: string): Promise<Told> {
    const answer = await fetch(`${collector.url}/api/v1/statements/${statement}/text`, { method: "POST" });
    assert.equal(answer.status, 200);
    return (await answer.json()) as Told;
  }

  test("a statement's text is in the journal and in no batch, be it of counters, traces or the end of the app", async () => {
    const maker = await SpanMaker.start(cleanup, { socket: stateDir.agentSocket, name: APP });
    await maker.make(REQUESTS);
    await eventually("the requests are sealed", 20_000, () => {
      const rows = waitingBatches(stateDir).flatMap(({ header }) => header.actions);
      assert.equal(
        rows.reduce((sum, row) => sum + row.requests, 0),
        REQUESTS,
      );
    });
    await maker.program.stop("SIGKILL");
    await eventually("the end of the app is reported", 20_000, () => {
      const [event] = waitingBatches(stateDir).flatMap(({ header }) => header.events ?? []);
      assert.deepEqual(
        event?.lastCalls.map(({ name, statement }) => [name, statement]),
        Array.from({ length: REQUESTS }, () => ["SELECT stock", ""]),
      );
    });
    await daemon.stop();
    assert.ok(holdsText(filesBelow(join(stateDir.path, "journal"))));
    assert.ok(!holdsText(waitingBatches(stateDir).flatMap(textsOfBatch)));
  });

  test("the collector knows the statement by its fingerprint, in its store, its files and its answers", async () => {
    collector = await startCollector(cleanup, collectorState, port);
    api = new CollectorApi(collector.url, beganUnixMs);
    daemon = await start();
    await eventually("all has arrived", 30_000, async () => {
      const { requests } = await api.get<{ requests: number }>(`apps/${APP}/summary`, { kind: "all" });
      assert.equal(requests, REQUESTS);
    });
    const [operation, ...others] = await api.operations(APP, "database");
    assert.deepEqual(others, []);
    assert.equal(operation?.operation, "SELECT stock");
    assert.equal(operation.statementText, null);
    assert.match(operation.statement, /^[0-9a-f]{16}$/);
    const [kept] = await api.traces(APP);
    const { traceId } = kept ?? assert.fail("no trace was kept");
    for (const trace of [await api.trace(traceId), await api.fetchTrace(traceId)]) {
      const query = trace.spans.find(({ category }) => category === "database");
      assert.equal(query?.attributes["apm.statement.fingerprint"], operation.statement);
      assert.ok(!holdsText([Buffer.from(JSON.stringify(trace))]));
    }
    // A daemon knows the texts that it has seen since its start.
    const maker = await SpanMaker.start(cleanup, { socket: stateDir.agentSocket, name: APP });
    await maker.make(1);
    await eventually("the host tells the text", 20_000, async () => {
      const told = await askForText(operation.statement);
      assert.ok(told.text?.includes(TEXT), JSON.stringify(told));
      assert.deepEqual(
        told.hosts.map(({ state }) => state),
        ["found"],
      );
    });
    const unknown = await askForText("0".repeat(16));
    assert.deepEqual([unknown.text, unknown.hosts.map(({ state }) => state)], [null, ["nothing"]]);
    await collector.program.stop();
    assert.ok(!holdsText([...filesBelow(collectorState.path), Buffer.from(collector.program.output)]));
    const shown = await runApm(["trace", traceId, "--state-dir", stateDir.path, "--json"]);
    assert.ok(holdsText([Buffer.from(shown.stdout)]), `on the host it is shown: ${shown.output}`);
  });
});

function holdsText(parts: readonly Uint8Array[]): boolean {
  return parts.some((part) => Buffer.from(part).includes(TEXT));
}
