import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type RunningApp, startShop } from "./support/apps.ts";
import { Cleanup } from "./support/cleanup.ts";
import type { TraceEntry } from "./support/collector-api.ts";
import { startDatabases } from "./support/databases.ts";
import { eventually } from "./support/eventually.ts";
import { skipWithout } from "./support/parts.ts";
import { type Collector, createKeyFile, StateDir, startCollector, startDaemon } from "./support/system.ts";
import { takeTurn } from "./support/take-turn.ts";

const APP = "kept-shop";
const SLOW_MS = 700;

/** Nothing is kept unless it repeats a call or is slow by the app's own threshold. */
const TOML = `seal_interval_ms = 1000
[traces]
errors_per_action = 0
slowest_per_action = 0
random_per_action = 0
repeats_per_action = 1
slow_action_ms = 600000
[apps.${APP}]
slow_action_ms = ${SLOW_MS}
`;

describe("traces kept for what they show", { skip: skipWithout("postgresql", "mariadb", "redis") }, () => {
  const cleanup = new Cleanup();
  let collector: Collector;
  let app: RunningApp;

  before(async () => {
    await takeTurn(cleanup);
    const databases = await startDatabases(cleanup);
    collector = await startCollector(cleanup, new StateDir(cleanup));
    const stateDir = new StateDir(cleanup);
    await startDaemon(cleanup, {
      stateDir,
      collectorUrl: collector.uplinkUrl,
      keyFile: await createKeyFile(collector.stateDir, "kept"),
      toml: TOML,
    });
    const agent = { by: "--import", socket: stateDir.agentSocket, name: APP } as const;
    app = await startShop(cleanup, { agent, databases });
  });
  after(() => cleanup.run());

  /** Asks for a page until a trace of its action is listed with that reason: what is first may be slow on a busy machine. */
  const keptOf = (path: string, action: string, reason: string, repeats: boolean): Promise<TraceEntry> =>
    eventually(`${action} is listed`, 20_000, async () => {
      assert.equal((await fetch(app.url + path)).status, 200);
      const { traces } = await collector.api.get<{ traces: TraceEntry[] }>(`apps/${APP}/traces`, {
        action,
        repeats: String(repeats),
      });
      return traces.find((trace) => trace.reason === reason) ?? assert.fail(`no such trace of ${action}`);
    });

  test("eleven alike statements of one request are named, with the span that they ran below", async () => {
    const kept = await keptOf("/carts/11", "GET /carts/:lines", "n_plus_one", true);
    const whole = await collector.api.trace(kept.traceId);
    const [root] = whole.roots;
    assert.deepEqual(root?.repeats, kept.repeats);
    const [repeat, ...others] = kept.repeats ?? [];
    assert.ok(repeat);
    assert.deepEqual(others, []);
    assert.deepEqual([repeat.calls, repeat.system, repeat.operation], [11, "postgresql", "SELECT users"]);
    const calls = whole.spans.filter(
      ({ attributes }) => attributes["apm.statement.fingerprint"] === repeat.statement,
    );
    assert.equal(calls.length, 11);
    assert.ok(calls.every(({ parentSpanId }) => parentSpanId === repeat.parentSpanId));
    const sumMs = calls.reduce((sum, { durationMs }) => sum + durationMs, 0);
    assert.ok(Math.abs(sumMs - repeat.totalTimeMs) < 0.1, `${sumMs} ms and ${repeat.totalTimeMs} ms`);
  });

  test("twelve alike commands of a cache are named too; ten statements are none", async () => {
    assert.equal((await fetch(`${app.url}/carts/10`)).status, 200);
    const kept = await keptOf("/busy/12", "GET /busy/:calls", "n_plus_one", true);
    assert.deepEqual(
      kept.repeats?.map(({ calls, system, operation, statement }) => [calls, system, operation, statement]),
      [[12, "redis", "GET", ""]],
    );
    const { traces } = await collector.api.get<{ traces: TraceEntry[] }>(`apps/${APP}/traces`, {
      action: "GET /carts/:lines",
    });
    assert.ok(traces.length > 0);
    for (const { spans, reason, repeats } of traces) {
      const isCounted = repeats?.[0]?.calls === 11;
      assert.ok(isCounted || (repeats === undefined && reason === "slow"), `${spans} spans, ${reason}`);
    }
  });

  test("a request that takes as long as its app's threshold is kept as slow", async () => {
    const kept = await keptOf(`/slow/${SLOW_MS + 1}`, "GET /slow/:ms", "slow", false);
    assert.equal(kept.repeats, undefined);
    assert.ok(kept.durationMs >= SLOW_MS, String(kept.durationMs));
  });
});
