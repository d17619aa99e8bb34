import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startShop, startStock } from "./support/apps.ts";
import { Cleanup } from "./support/cleanup.ts";
import type { CollectorApi, Trace, TraceEntry } from "./support/collector-api.ts";
import { startDatabases } from "./support/databases.ts";
import { eventually } from "./support/eventually.ts";
import { type PlannedRequest, sendAll } from "./support/load-generator.ts";
import { skipWithout } from "./support/parts.ts";
import { createKeyFile, StateDir, startCollector, startDaemon } from "./support/system.ts";
import { takeTurn } from "./support/take-turn.ts";
import {
  assertOwnStatements,
  describe as describeTrace,
  entrySpan,
  spansBelow,
} from "./support/trace-checks.ts";
import { tagOf } from "./support/traffic.ts";

const MIXED = 300;
const RELAYED = 100;

describe("traces of requests that run at the same time", {
  skip: skipWithout("postgresql", "mariadb", "redis"),
}, () => {
  const cleanup = new Cleanup();
  let api: CollectorApi;

  before(async () => {
    await takeTurn(cleanup);
    const databases = await startDatabases(cleanup);
    const state = new StateDir(cleanup);
    const collector = await startCollector(cleanup, state);
    api = collector.api;
    const keyFile = await createKeyFile(state, "traces");
    const toml = 'seal_interval_ms = 2000\n[traces]\nkeep = "all"\n';
    const daemonState = new StateDir(cleanup);
    await startDaemon(cleanup, { stateDir: daemonState, collectorUrl: collector.uplinkUrl, keyFile, toml });
    const agent = { by: "--import", socket: daemonState.agentSocket } as const;
    const stock = await startStock(cleanup, { agent, databases });
    const shop = await startShop(cleanup, { agent, databases, stockUrl: stock.url });
    const answers = await sendAll(mixedPlan(shop.url), 64);
    assert.deepEqual(answers.filter(({ status }) => status !== 200).slice(0, 3), []);
  });
  after(() => cleanup.run());

  test("no span has a parent of another request", async () => {
    const entries = await keptTraces(api, "shop", "GET /mix/:tag", MIXED);
    const tags = new Set<unknown>();
    for (const entry of entries) {
      const trace = await api.trace(entry.traceId);
      const root = entrySpan(trace, entry);
      tags.add(root.attributes["url.path"]);
      const statements = assertOwnStatements(trace, root);
      assert.equal(statements.length, 3, describeTrace(trace));
      const below = spansBelow(trace, root);
      assert.equal(below.length, trace.spans.length - 1, `a span hangs nowhere: ${describeTrace(trace)}`);
      assert.equal(below.filter(({ category }) => category === "cache").length, 1, describeTrace(trace));
    }
    assert.equal(tags.size, MIXED, "each request has a trace of its own");
  });

  test("a call to another app continues its trace there", async () => {
    const entries = await keptTraces(api, "shop", "GET /relay/:id", RELAYED);
    await keptTraces(api, "stock", "GET /internal/stock/:id", RELAYED);
    for (const entry of entries) assertContinued(await api.trace(entry.traceId), entry);
  });
});

function mixedPlan(shopUrl: string): PlannedRequest[] {
  const mixed = Array.from({ length: MIXED }, (_, n) => `/mix/${tagOf(n)}`);
  const relayed = Array.from({ length: RELAYED }, (_, n) => `/relay/${(n % 50) + 1}`);
  return [...mixed, ...relayed].map((path) => ({
    url: `${shopUrl}${path}`,
    method: "GET",
    expectedStatus: 200,
    action: "",
  }));
}

function keptTraces(api: CollectorApi, app: string, action: string, count: number): Promise<TraceEntry[]> {
  return eventually(`${count} traces of ${action} are kept`, 20_000, async () => {
    const entries = await api.traces(app, { action });
    assert.equal(entries.length, count);
    return entries;
  });
}

function assertContinued(trace: Trace, entry: TraceEntry): void {
  const root = entrySpan(trace, entry);
  const call = trace.spans.find((span) => span.parentSpanId === root.spanId && span.kind === "client");
  assert.ok(call, describeTrace(trace));
  assert.equal(call.category, "external");
  const remote = trace.spans.find((span) => span.app === "stock" && span.parentSpanId === call.spanId);
  assert.equal(remote?.kind, "server", describeTrace(trace));
  const below = spansBelow(trace, remote);
  assert.deepEqual(
    below.map(({ category }) => category),
    ["database"],
    describeTrace(trace),
  );
}
