import assert from "node:assert/strict";
import { test } from "node:test";
import { LossLedger } from "./loss-ledger.ts";

test("rows add up per app and window, and go with a drain; totals stay", () => {
  const ledger = new LossLedger();
  ledger.countReceived("shop", 12_000, 5);
  ledger.countReceived("shop", 19_999, 2);
  ledger.countReceived("shop", 20_000, 1);
  ledger.countDropped("stock", 12_000, "agent_ring_full", 3);
  ledger.countDropped("stock", 13_000, "agent_ring_full", 4);
  assert.deepEqual(
    ledger.drain().map((row) => ({ ...row, dropped: { ...row.dropped } })),
    [
      { tsSec: 10, app: "shop", received: 7, dropped: {} },
      { tsSec: 20, app: "shop", received: 1, dropped: {} },
      { tsSec: 10, app: "stock", received: 0, dropped: { agent_ring_full: 7 } },
    ],
  );
  assert.deepEqual(ledger.drain(), []);
  assert.equal(ledger.received, 8);
  assert.equal(JSON.stringify(ledger.dropped()), '{"stock":{"agent_ring_full":7}}');
});

test("apps and reasons may be called like what every object has", () => {
  const ledger = new LossLedger();
  for (const app of ["__proto__", "constructor", "toString"])
    for (const reason of ["constructor", "__proto__"]) ledger.countDropped(app, 0, reason, 2);
  assert.equal(Object.keys(ledger.dropped()).length, 3);
  for (const counts of Object.values(ledger.dropped()))
    assert.deepEqual(Object.entries(counts), [
      ["constructor", 2],
      ["__proto__", 2],
    ]);
  assert.equal(({} as Record<string, unknown>)["__proto__"], Object.prototype);
  assert.equal({}.constructor, Object);
  assert.equal(JSON.stringify(ledger.drain()[0]?.dropped), '{"constructor":2,"__proto__":2}');
});

test("counts stay whole numbers that a batch can hold", () => {
  const ledger = new LossLedger();
  for (let i = 0; i < 3; i++) ledger.countDropped("shop", 0, "x", Number.MAX_SAFE_INTEGER);
  assert.equal(ledger.drain()[0]?.dropped["x"], Number.MAX_SAFE_INTEGER);
});
