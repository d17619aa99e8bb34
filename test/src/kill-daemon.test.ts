import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { sendHellos, startHello, startShop, startStock } from "./support/apps.ts";
import { Cleanup } from "./support/cleanup.ts";
import { startDatabases } from "./support/databases.ts";
import { eventually } from "./support/eventually.ts";
import { LoadGenerator } from "./support/load-generator.ts";
import { skipWithout } from "./support/parts.ts";
import { type Collector, createKeyFile, StateDir, startCollector, startDaemon } from "./support/system.ts";
import { takeTurn } from "./support/take-turn.ts";
import { expectation, plan5000 } from "./support/traffic.ts";

/** Kills of each part, one after the other, while a small app serves. */
const ROUNDS = 4;

/** The daemon is killed when this many of the 5,000 requests are answered. */
const KILL_AT = [700, 2_000, 3_600];

describe("kill -9 of the daemon in the middle of the load", {
  skip: skipWithout("postgresql", "mariadb", "redis"),
}, () => {
  const cleanup = new Cleanup();
  let collector: Collector;

  before(async () => {
    await takeTurn(cleanup);
    collector = await startCollector(cleanup, new StateDir(cleanup));
  });
  after(() => cleanup.run());

  test("loses and doubles nothing: still exactly 5,000 requests, each with its status", async () => {
    const databases = await startDatabases(cleanup);
    const collectorState = collector.stateDir;
    const options = {
      stateDir: new StateDir(cleanup),
      collectorUrl: collector.uplinkUrl,
      keyFile: await createKeyFile(collectorState, "killed"),
      // Seals in the middle of the load too, so that kills fall before, between and after them.
      toml: "seal_interval_ms = 1000\n",
    };
    let daemon = await startDaemon(cleanup, options);
    const agent = { by: "--import", socket: options.stateDir.agentSocket } as const;
    const stock = await startStock(cleanup, { agent, databases });
    const shop = await startShop(cleanup, { agent, databases, stockUrl: stock.url });
    const plan = plan5000(shop.url, stock.url);

    const load = new LoadGenerator(plan.all, 32);
    for (const requests of KILL_AT) {
      await eventually(`${requests} requests are answered`, 120_000, () => {
        assert.ok(load.answered >= requests, `${load.answered} so far`);
      });
      assert.ok(load.answered < plan.all.length, "the daemon must die while the load runs");
      await daemon.kill();
      daemon = await startDaemon(cleanup, options);
    }
    const answers = await load.answers;
    assert.deepEqual(
      answers.filter(({ status, planned }) => status !== planned.expectedStatus).slice(0, 3),
      [],
      "the apps answered as if nothing had happened",
    );

    const { api } = collector;
    await eventually("all requests are in the API", 60_000, async () => {
      assert.equal(await api.requestCount("shop"), plan.shop.length);
      assert.equal(await api.requestCount("stock"), plan.stock.length + plan.relayed.length);
    });
    for (const [app, planned] of [
      ["shop", plan.shop],
      ["stock", [...plan.stock, ...plan.relayed]],
    ] as const) {
      const expected = expectation(planned);
      assert.equal((await api.summary(app)).errors, expected.errors);
      const codes = (await api.statusCodes(app)).map(({ code, count }): [number, number] => [code, count]);
      assert.deepEqual(new Map(codes), expected.statusCodes);
    }
    const status = await options.stateDir.status();
    assert.deepEqual(status.dropped, {}, "no span was dropped");
  });
});

describe("kill -9 of daemon and collector by turns", () => {
  const cleanup = new Cleanup();

  before(() => takeTurn(cleanup));
  after(() => cleanup.run());

  test("loses and doubles nothing", async () => {
    const collectorState = new StateDir(cleanup);
    let collector = await startCollector(cleanup, collectorState);
    const { port, api } = collector;
    const options = {
      stateDir: new StateDir(cleanup),
      collectorUrl: collector.uplinkUrl,
      keyFile: await createKeyFile(collectorState, "killed"),
      toml: "seal_interval_ms = 1000\n",
    };
    let daemon = await startDaemon(cleanup, options);
    const hello = await startHello(cleanup, { by: "--require", socket: options.stateDir.agentSocket });
    let sent = 0;
    const killed = new AbortController();
    const load = async (): Promise<void> => {
      while (!killed.signal.aborted) {
        await sendHellos(hello, 50);
        sent += 50;
      }
    };
    const kills = async (): Promise<void> => {
      for (let round = 0; round < ROUNDS; round++) {
        await Promise.all([daemon.kill(), round % 2 === 1 ? collector.program.kill() : null]);
        daemon = await startDaemon(cleanup, options);
        await collector.program.kill();
        collector = await startCollector(cleanup, collectorState, port);
      }
      killed.abort();
    };
    await Promise.all([load(), kills()]);
    await eventually("all requests are in the API", 60_000, async () => {
      assert.equal(await api.requestCount("hello"), sent);
    });
    assert.deepEqual((await options.stateDir.status()).dropped, {}, "no span was dropped");
  });
});
