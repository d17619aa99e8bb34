import assert from "node:assert/strict";
import { test } from "node:test";
import { Hono } from "hono";
import { DatabaseClient } from "../store/duckdb/database-client.ts";
import { StoreError } from "../store/store-error.ts";
import { temporaryFolder } from "../testing/running-collector.ts";
import { askedByBrowser } from "./asked-by-browser.ts";
import { listen } from "./listen.ts";

/** Runs for minutes unless interrupted. */
const ENDLESS = "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range + b.range < 0";

test("a browser that leaves takes its queries with it: what runs is interrupted, what waits never begins", async (t) => {
  const client = new DatabaseClient(
    {
      stateDir: temporaryFolder(),
      memoryLimitMb: 128,
      threads: 1,
      queryTimeoutMs: 120_000,
      queriesWaiting: 10,
      retention: {
        days: 2,
        minutesDays: 30,
        hoursDays: 400,
        tracesDays: 3,
        sampledTracesDays: 30,
        recordsDays: 30,
      },
    },
    { warn: () => undefined, reopened: () => undefined },
  );
  t.after(() => client.close());
  await client.call({ method: "open", nowMs: Date.now() });
  const outcomes: Promise<string>[] = [];
  let allAsked: (() => void) | undefined;
  const asked = new Promise<void>((resolve) => (allAsked = resolve));
  const app = new Hono();
  app.use("/api/*", askedByBrowser);
  app.get("/api/slow", async (c) => {
    const rows = client.query(ENDLESS, {});
    outcomes.push(
      rows.then(
        () => "answered",
        (error: unknown) => (error instanceof StoreError ? error.code : String(error)),
      ),
    );
    if (outcomes.length === 4) allAsked?.();
    return c.json(await rows);
  });
  const { server, url } = await listen(app, "127.0.0.1:0", () => undefined);
  t.after(() => server.close());

  // Two of four run, two wait in line.
  const browser = new AbortController();
  const calls = [1, 2, 3, 4].map(() =>
    fetch(`${url}/api/slow`, { signal: browser.signal }).catch(() => "left"),
  );
  await asked;
  browser.abort();
  assert.deepEqual(await Promise.all(calls), ["left", "left", "left", "left"]);
  assert.deepEqual(await Promise.all(outcomes), ["CANCELLED", "CANCELLED", "CANCELLED", "CANCELLED"]);
  assert.deepEqual(await client.query("SELECT 4::DOUBLE AS n", {}), [{ n: 4 }]);
});
