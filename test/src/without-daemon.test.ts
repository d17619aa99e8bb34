import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type RunningApp, startShop, startStock } from "./support/apps.ts";
import { Cleanup } from "./support/cleanup.ts";
import { type Databases, startDatabases } from "./support/databases.ts";
import { type Answer, type PlannedRequest, sendAll } from "./support/load-generator.ts";
import { skipWithout } from "./support/parts.ts";
import { takeTurn } from "./support/take-turn.ts";
import { plan5000 } from "./support/traffic.ts";

/** Redis calls of one `/busy` request. */
const CALLS = 100;
/** 40,000 spans each: the first four fill the agent's bounded buffer, whatever it holds a span in. */
const PHASES = 8;
const REQUESTS_PER_PHASE = 400;
const FILLED_AFTER = 4;
const MIB = 1_048_576;

describe("an app under the agent on a host without a daemon", {
  skip: skipWithout("postgresql", "mariadb", "redis"),
}, () => {
  const cleanup = new Cleanup();
  let databases: Databases;
  let plain: RunningApp;
  let watched: RunningApp;
  let plainStock: RunningApp;
  let watchedStock: RunningApp;

  before(async () => {
    await takeTurn(cleanup);
    databases = await startDatabases(cleanup);
    const socket = join(cleanup.tempDir(), "nobody.sock");
    plain = await startShop(cleanup, { agent: { by: "none" }, databases });
    const agent = { by: "--import", socket } as const;
    watched = await startShop(cleanup, { agent, databases, nodeFlags: ["--expose-gc"] });
    plainStock = await startStock(cleanup, { agent: { by: "none" }, databases });
    watchedStock = await startStock(cleanup, { agent: { by: "--require", socket }, databases });
  });
  after(() => cleanup.run());

  test("gives the same responses, headers included: Express, loaded by --import", async () => {
    // Without the slow ones, and those that need the stock app.
    const fast = plan5000(watched.url, "").shop.filter(({ action }) => !/slow|wait|relay/.test(action));
    assert.equal(await assertSameAnswers(fast, watched, plain), 7);
  });

  test("gives the same responses, headers included: Fastify, loaded by --require", async () => {
    const { stock } = plan5000("", watchedStock.url);
    assert.equal(await assertSameAnswers(stock, watchedStock, plainStock), 5);
  });

  test("does not grow", async () => {
    const held: number[] = [];
    for (let phase = 0; phase < PHASES; phase++) {
      const answers = await sendAll(busyPlan(watched.url, REQUESTS_PER_PHASE), 16);
      assert.ok(answers.every(({ status }) => status === 200));
      held.push(await heldBytes(watched.url));
    }
    const mib = held.map((bytes) => (bytes / MIB).toFixed(1)).join(", ");
    // From then on 160,000 more spans change nothing: 20 bytes kept of each would already show.
    const growth = Math.max(...held.slice(FILLED_AFTER)) - (held[FILLED_AFTER - 1] ?? 0);
    assert.ok(growth < 3 * MIB, `held after each phase, in MiB: ${mib}`);
  });

  test("has printed one line about it, and ends as it would without the agent", async () => {
    assert.deepEqual(await watchedStock.program.stop("SIGTERM"), await plainStock.program.stop("SIGTERM"));
    assert.match(watchedStock.program.stderr, /^[^\n]*nobody\.sock[^\n]*\n$/);
    const end = await watched.program.stop("SIGTERM");
    const plainEnd = await plain.program.stop("SIGTERM");
    assert.deepEqual(end, plainEnd);
    const lines = watched.program.output.trim().split("\n");
    const own = lines.filter((line) => !line.startsWith("listening on "));
    assert.equal(own.length, 1, watched.program.output);
    assert.match(own[0] ?? "", /nobody\.sock/, "it says where it looked");
    assert.match(
      watched.program.stderr,
      /nobody\.sock/,
      "on stderr, so that the app's own output stays its own",
    );
  });
});

/** Sends one request of each action and status to both; answers how many there were. */
async function assertSameAnswers(
  plan: PlannedRequest[],
  watched: RunningApp,
  plain: RunningApp,
): Promise<number> {
  const routes = new Map(plan.map((planned) => [`${planned.action} ${planned.expectedStatus}`, planned]));
  const watchedPlan = [...routes.values()];
  const plainPlan = watchedPlan.map((planned) => ({
    ...planned,
    url: planned.url.replace(watched.url, plain.url),
  }));
  const [withAgent, without] = [await sendAll(watchedPlan, 1), await sendAll(plainPlan, 1)];
  assert.deepEqual(withAgent.map(comparable), without.map(comparable));
  assert.deepEqual(
    withAgent.map(({ status }) => status),
    watchedPlan.map(({ expectedStatus }) => expectedStatus),
  );
  return watchedPlan.length;
}

function comparable({ status, body, headers }: Answer): object {
  return { status, body, headers: { ...headers, date: "" } };
}

function busyPlan(url: string, count: number): PlannedRequest[] {
  const planned: PlannedRequest = {
    url: `${url}/busy/${CALLS}`,
    method: "GET",
    expectedStatus: 200,
    action: "",
  };
  return Array.from({ length: count }, () => planned);
}

/** What the app holds after a full garbage collection, inside and outside of the heap. */
async function heldBytes(url: string): Promise<number> {
  const answer = await fetch(`${url}/memory`);
  const { heapUsed, external } = (await answer.json()) as { heapUsed: number; external: number };
  return heapUsed + external;
}
