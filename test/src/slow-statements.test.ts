import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type RunningApp, startCanary } from "./support/apps.ts";
import { Cleanup } from "./support/cleanup.ts";
import { startSqlDatabases } from "./support/databases.ts";
import { eventually } from "./support/eventually.ts";
import { skipWithout } from "./support/parts.ts";
import { type Collector, createKeyFile, StateDir, startCollector, startDaemon } from "./support/system.ts";
import { takeTurn } from "./support/take-turn.ts";

const APP = "sleeper";
const THRESHOLD_MS = 50;

interface SlowStatement {
  action: string;
  system: string;
  statement: string;
  statementText: string;
  durationMs: number;
  error: boolean;
  traceId: string;
  stack: string;
}

describe("slow statements", { skip: skipWithout("postgresql", "mariadb") }, () => {
  const cleanup = new Cleanup();
  let collector: Collector;
  let app: RunningApp;

  before(async () => {
    await takeTurn(cleanup);
    const databases = await startSqlDatabases(cleanup);
    collector = await startCollector(cleanup, new StateDir(cleanup));
    const stateDir = new StateDir(cleanup);
    await startDaemon(cleanup, {
      stateDir,
      collectorUrl: collector.uplinkUrl,
      keyFile: await createKeyFile(collector.stateDir, "slow"),
      toml: `seal_interval_ms = 1000\n[settings]\nslow_statement_ms = ${THRESHOLD_MS}\n[traces]\nkeep = "all"\n`,
    });
    app = await startCanary(cleanup, { by: "--import", socket: stateDir.agentSocket, name: APP }, databases);
  });
  after(() => cleanup.run());

  test("each is listed with its action, its trace and, from its second slow call on, the place it is called from", async () => {
    const list = await eventually("both have a stack", 60_000, async () => {
      // Until the daemon has told its settings, other calls are slow.
      assert.equal((await fetch(`${app.url}/slow`)).status, 200);
      const { slowStatements } = await collector.api.get<{ slowStatements: SlowStatement[] }>(
        `apps/${APP}/slow-statements`,
        { action: "GET /slow" },
      );
      const withStack = slowStatements.filter(({ stack }) => stack !== "");
      assert.deepEqual([...new Set(withStack.map(({ system }) => system))].sort(), ["mysql", "postgresql"]);
      return withStack;
    });
    for (const [system, text, caller] of [
      ["postgresql", "SELECT pg_sleep(?)", "sleepInPostgres"],
      ["mysql", "SELECT SLEEP(?)", "sleepInMariadb"],
    ] as const) {
      const found = list.find((row) => row.system === system) ?? assert.fail(system);
      assert.equal(found.statementText, text);
      assert.match(found.statement, /^[0-9a-f]{16}$/);
      assert.equal(found.action, "GET /slow");
      assert.equal(found.error, false);
      assert.ok(found.durationMs >= THRESHOLD_MS, String(found.durationMs));
      const frames = found.stack.split("\n");
      assert.ok(frames.length <= 20 && found.stack.length <= 4_096);
      assert.ok(
        frames.some((frame) => frame.includes(caller) && frame.includes("canary/app.js")),
        found.stack,
      );
      assert.doesNotMatch(found.stack, /node:|agent-lib|@apm-daemon/);
      const { spans } = await collector.api.trace(found.traceId);
      const span = spans.find(
        ({ attributes }) => attributes["apm.statement.fingerprint"] === found.statement,
      );
      assert.ok(span && span.durationMs >= THRESHOLD_MS);
    }
  });
});
