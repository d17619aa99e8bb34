import assert from "node:assert/strict";
import { test } from "node:test";
import type { ActionRow, LedgerRow, LedgerState, OperationRow } from "@apm-daemon/protocol";
import * as fc from "fast-check";
import { LossLedger, type LossReason } from "./loss-ledger.ts";

const SHOP = { app: "shop", instance: "a".repeat(32), isKnownFromStart: true };
const STOCK = { app: "stock", instance: "b".repeat(32), isKnownFromStart: true };
const T = 12_000;

/** Rows without their prototypes, in JSON's eyes. */
function plain<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value)) as Value;
}

function totalsOf(ledger: LossLedger, app = "shop"): unknown {
  const totals = ledger.state(T).apps.find((entry) => entry.app === app);
  return totals === undefined ? undefined : plain(totals);
}

test("rows add up per app and window, and go with a drain; totals stay", () => {
  const ledger = new LossLedger();
  ledger.countFrame(SHOP, 12_000, 5, 0);
  ledger.countFrame(SHOP, 19_999, 2, 0);
  ledger.countFrame(SHOP, 20_000, 1, 0);
  ledger.countReported(STOCK, 12_000, { agent_ring_full: 3 });
  ledger.countReported(STOCK, 13_000, { agent_ring_full: 4 });
  assert.deepEqual(plain(ledger.drain()), [
    { tsSec: 10, app: "shop", created: 7, received: 7, dropped: {} },
    { tsSec: 20, app: "shop", created: 1, received: 1, dropped: {} },
    { tsSec: 10, app: "stock", created: 7, received: 0, dropped: { agent_ring_full: 7 } },
  ]);
  assert.deepEqual(ledger.drain(), []);
  assert.equal(ledger.received, 8);
  assert.equal(JSON.stringify(ledger.dropped()), '{"stock":{"agent_ring_full":7}}');
  assert.deepEqual(totalsOf(ledger), { app: "shop", created: 8, received: 8, dropped: {} });
});

test("what agents have ended and not sent yet is in flight, and booked as created when they say so", () => {
  const ledger = new LossLedger();
  ledger.countFrame(SHOP, T, 5, 0);
  ledger.noteAgentCounts(SHOP, T, { spansCreated: 9, spansFramed: 5, spansReported: 0 });
  assert.equal(ledger.inFlight().get("shop"), 4);
  assert.deepEqual(totalsOf(ledger), { app: "shop", created: 9, received: 5, dropped: {} });
  ledger.countFrame(SHOP, T, 4, 0);
  assert.equal(ledger.inFlight().get("shop"), 0);
});

test("frames that never came are found at the next count of the agent, to the span", () => {
  const ledger = new LossLedger();
  ledger.countFrame(SHOP, T, 5, 0);
  ledger.noteAgentCounts(SHOP, T, { spansCreated: 20, spansFramed: 12, spansReported: 3 });
  assert.deepEqual(totalsOf(ledger), {
    app: "shop",
    created: 20,
    received: 5,
    dropped: { unexplained: 7, agent_reason_lost: 3 },
  });
  assert.equal(ledger.inFlight().get("shop"), 5);
  ledger.noteAgentCounts(SHOP, T, { spansCreated: 20, spansFramed: 12, spansReported: 3 });
  assert.deepEqual(ledger.dropped()["shop"], totalsDropped({ unexplained: 7, agent_reason_lost: 3 }));
});

test("spans of a frame that cannot be read are lost, and no longer in flight", () => {
  const ledger = new LossLedger();
  ledger.countFrame(SHOP, T, 2, 3);
  ledger.noteAgentCounts(SHOP, T, { spansCreated: 5, spansFramed: 5, spansReported: 0 });
  assert.deepEqual(totalsOf(ledger), {
    app: "shop",
    created: 5,
    received: 2,
    dropped: { frame_malformed: 3 },
  });
});

test("more than the agent sent is never hidden", () => {
  const ledger = new LossLedger();
  ledger.countFrame(SHOP, T, 9, 0);
  ledger.noteAgentCounts(SHOP, T, { spansCreated: 8, spansFramed: 8, spansReported: 0 });
  assert.equal(ledger.overcounted, 1);
});

test("an agent that does not count is believed what it sends", () => {
  const ledger = new LossLedger();
  ledger.countFrame(SHOP, T, 4, 0);
  ledger.noteAgentCounts(SHOP, T, { spansCreated: 0, spansFramed: null, spansReported: null });
  ledger.countReported(SHOP, T, { other: 2 });
  assert.deepEqual(totalsOf(ledger), { app: "shop", created: 6, received: 4, dropped: { other: 2 } });
});

test("of an instance that had sent frames to somebody else only what comes from now on is counted", () => {
  const ledger = new LossLedger();
  const late = { ...SHOP, isKnownFromStart: false };
  ledger.countFrame(late, T, 10, 0);
  ledger.noteAgentCounts(late, T, { spansCreated: 1_015, spansFramed: 1_010, spansReported: 3 });
  assert.deepEqual(totalsOf(ledger), { app: "shop", created: 12, received: 10, dropped: {} });
  assert.equal(ledger.unanchored, 1);
  ledger.noteAgentCounts(late, T, { spansCreated: 1_030, spansFramed: 1_020, spansReported: 3 });
  assert.deepEqual(totalsOf(ledger), {
    app: "shop",
    created: 27,
    received: 10,
    dropped: { unexplained: 10 },
  });
});

test("an app that is gone for good takes what it had in flight along: the crash window", () => {
  const ledger = new LossLedger();
  ledger.countFrame(SHOP, T, 5, 0);
  ledger.noteAgentCounts(SHOP, T, { spansCreated: 9, spansFramed: 5, spansReported: 0 });
  assert.equal(ledger.settle(SHOP.instance, T), 4);
  assert.equal(ledger.settle(SHOP.instance, T), 0);
  assert.equal(ledger.inFlight().get("shop"), 0);
  const dropped = { app_crash_window: 4 };
  assert.deepEqual(totalsOf(ledger), { app: "shop", created: 9, received: 5, dropped });
  assert.equal(ledger.settle("unknown", T), 0);
});

test("an instance that is silent for ten minutes is closed, however far the wall clock jumps", () => {
  let monoMs = 0;
  const ledger = new LossLedger(() => monoMs);
  ledger.noteAgentCounts(SHOP, T, { spansCreated: 4, spansFramed: 0, spansReported: 0 });
  monoMs = 600_000;
  assert.equal(ledger.state(T + 86_400_000).instances.length, 1);
  monoMs = 600_001;
  const state = ledger.state(T);
  assert.deepEqual(state.instances, []);
  assert.deepEqual(plain(state.apps[0]?.dropped), { app_crash_window: 4 });
});

test("a batch that will never be stored is told again, as lost", () => {
  const ledger = new LossLedger();
  ledger.countFrame(SHOP, T, 5, 0);
  ledger.countReported(SHOP, T, { agent_ring_full: 2 });
  const lost = { number: 3, ledger: ledger.drain() };
  ledger.move(lost, "outbox_full");
  ledger.move(lost, "outbox_full");
  assert.deepEqual(ledger.state(T).givenUp, [{ first: 3, last: 3 }]);
  assert.deepEqual(plain(ledger.drain()), [
    { tsSec: 10, app: "shop", created: 7, received: 0, dropped: { agent_ring_full: 2, outbox_full: 5 } },
  ]);
  assert.deepEqual(totalsOf(ledger), {
    app: "shop",
    created: 7,
    received: 0,
    dropped: { agent_ring_full: 2, outbox_full: 5 },
  });
  assert.deepEqual(
    ledger.dropped()["shop"],
    totalsDropped({ agent_ring_full: 2, outbox_full: 5 }),
    "drops that were counted once are not counted again",
  );
});

test("counters that a collector refuses take their spans out of what was received", () => {
  const ledger = new LossLedger();
  ledger.countFrame(SHOP, T, 5, 0);
  ledger.drain();
  ledger.moveRefused({
    actions: [{ tsSec: 10, app: "shop", requests: 1 } as ActionRow],
    operations: [{ tsSec: 10, app: "shop", calls: 2 } as OperationRow],
  });
  assert.deepEqual(plain(ledger.drain()), [
    { tsSec: 10, app: "shop", created: 0, received: -3, dropped: { dead_letter: 3 } },
  ]);
});

test("apps and reasons may be called like what every object has", () => {
  const ledger = new LossLedger();
  for (const app of ["__proto__", "constructor", "toString"]) {
    for (const reason of ["constructor", "__proto__"])
      ledger.countReported({ ...SHOP, app, instance: app }, 0, named(reason, 2));
  }
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
  for (let i = 0; i < 3; i++) ledger.countReported(SHOP, 0, { x: Number.MAX_SAFE_INTEGER });
  const [row] = ledger.drain();
  assert.deepEqual([row?.dropped["x"], row?.created], [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]);
});

test("reasons made up without end are counted together, the daemon's own stay apart", () => {
  const ledger = new LossLedger();
  for (let i = 0; i < 1_000; i++) ledger.countReported(SHOP, 0, { [`reason_${i}`]: 2 });
  ledger.countReported(SHOP, 0, { reason_0: 1 });
  ledger.countFrame(SHOP, 0, 0, 4);
  const counts = ledger.dropped()[SHOP.app] ?? {};
  assert.equal(Object.keys(counts).length, 66);
  assert.equal(counts["reason_0"], 3);
  assert.equal(counts["other"], 2 * (1_000 - 64));
  assert.equal(counts["frame_malformed"], 4);
});

type Step =
  | { do: "frame"; of: 0 | 1; spans: number; isLost: boolean }
  | { do: "gap"; of: 0 | 1; spans: number; isLost: boolean }
  | { do: "counts"; of: 0 | 1; more: number }
  | { do: "settle"; of: 0 | 1 }
  | { do: "seal" }
  | { do: "crash"; reason: LossReason };

const who = fc.constantFrom<0 | 1>(0, 1);
const spans = fc.integer({ min: 1, max: 50 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("frame" as const), of: who, spans, isLost: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("gap" as const), of: who, spans, isLost: fc.boolean() }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("counts" as const), of: who, more: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("settle" as const), of: who }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("seal" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("crash" as const),
      reason: fc.constantFrom<LossReason>("corrupt", "journal_full"),
    }),
  },
);

test("whatever is lost and whenever the daemon dies: all rows add up to the totals, and created is all of it", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const sources = [SHOP, STOCK];
      const truth = sources.map(() => ({ framed: 0, reported: 0, waiting: 0 }));
      let ledger = new LossLedger();
      let sealed: LedgerState = ledger.state(T);
      /** What the journal has since the seal, to be replayed. */
      let journal: ((to: LossLedger) => void)[] = [];
      const rows: LedgerRow[] = [];
      const seal = (): void => {
        sealed = plain(ledger.state(T));
        rows.push(...ledger.drain());
        journal = [];
      };
      const record = (entry: (to: LossLedger) => void): void => {
        journal.push(entry);
        entry(ledger);
      };
      const tell = (of: 0 | 1): void => {
        const { framed, reported, waiting } = truth[of] as (typeof truth)[0];
        const counts = {
          spansCreated: framed + reported + waiting,
          spansFramed: framed,
          spansReported: reported,
        };
        record((to) => to.noteAgentCounts(sources[of] as typeof SHOP, T, counts));
      };
      for (const action of steps) {
        if (action.do === "frame" || action.do === "gap") {
          const count = truth[action.of] as (typeof truth)[0];
          const source = sources[action.of] as typeof SHOP;
          count[action.do === "frame" ? "framed" : "reported"] += action.spans;
          if (action.isLost) continue;
          if (action.do === "frame") record((to) => to.countFrame(source, T, action.spans, 0));
          else record((to) => to.countReported(source, T, { agent_ring_full: action.spans }));
        } else if (action.do === "counts") {
          (truth[action.of] as (typeof truth)[0]).waiting = action.more;
          tell(action.of);
        } else if (action.do === "settle") ledger.settle((sources[action.of] as typeof SHOP).instance, T);
        else if (action.do === "seal") seal();
        else {
          ledger = new LossLedger();
          ledger.restore(sealed);
          for (const entry of journal) entry(ledger);
          ledger.explainLosses(action.reason);
        }
      }
      tell(0);
      tell(1);
      seal();
      const inFlight = ledger.inFlight();
      for (const { app, created, received, dropped } of sealed.apps) {
        const lost = Object.values(dropped).reduce((sum, count) => sum + count, 0);
        assert.equal(created, received + lost + (inFlight.get(app) ?? 0), app);
        const ofApp = rows.filter((row) => row.app === app);
        const added = (pick: (row: LedgerRow) => number): number =>
          ofApp.reduce((sum, row) => sum + pick(row), 0);
        assert.equal(
          added((row) => row.created ?? 0),
          created,
        );
        assert.equal(
          added((row) => row.received),
          received,
        );
        assert.equal(
          added((row) => Object.values(row.dropped).reduce((sum, count) => sum + count, 0)),
          lost,
        );
      }
      sources.forEach(({ app }, i) => {
        const { framed, reported } = truth[i] as (typeof truth)[0];
        const totals = sealed.apps.find((entry) => entry.app === app);
        assert.ok((totals?.created ?? 0) >= framed + reported, "nothing that an agent told is missing");
      });
      assert.equal(ledger.overcounted, 0);
    }),
    { numRuns: 2_000 },
  );
});

function totalsDropped(counts: Record<string, number>): Record<string, number> {
  return Object.assign(Object.create(null) as Record<string, number>, counts);
}

function named(name: string, count: number): Record<string, number> {
  return Object.defineProperty({}, name, { value: count, enumerable: true });
}
