import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import type { BatchHeader, LedgerTotals } from "@apm-daemon/protocol";
import { RunningCollector } from "../testing/running-collector.ts";
import { SEALED_MS, sampleHeader, sampleRequests, WINDOW_SEC } from "../testing/sample-batch.ts";
import type { AppLedgerAnswer } from "./app-ledger.ts";
import type { AppSeriesAnswer } from "./app-series.ts";
import type { Completeness } from "./completeness.ts";
import type { HostSeriesAnswer } from "./host-details.ts";
import type { HostLedgerAnswer } from "./sample-completeness.ts";
import type { StreamLedgerAnswer } from "./stream-ledger.ts";

const FROM = WINDOW_SEC * 1000;
const MINUTE = `from=${FROM}&to=${FROM + 60_000}`;
const STREAM = randomUUID();

/** Batch `number` of the stream: what became of some spans in its 10 s, and the sums up to it. */
function batch(
  number: number,
  rows: Partial<BatchHeader["ledger"][0]>[],
  totals: Omit<LedgerTotals, "app"> | null,
): BatchHeader {
  const tsSec = WINDOW_SEC + (number - 1) * 10;
  return sampleHeader({
    stream: STREAM,
    number,
    createdUnixMs: SEALED_MS + (number - 1) * 10_000,
    actions: [sampleRequests([1_000], { tsSec })],
    hostSeconds: secondsOf(number, tsSec),
    ledger: rows.map((row) => ({ tsSec, app: "shop", received: 0, dropped: {}, ...row })),
    ...(totals === null ? {} : { ledgerState: { apps: [{ app: "shop", ...totals }], instances: [] } }),
  });
}

/** All ten of most batches; the second lacks two, the third came without any. */
function secondsOf(number: number, firstSec: number): BatchHeader["hostSeconds"] {
  const present = number === 3 ? [] : Array.from({ length: 10 }, (_, i) => i);
  const tsSec = present.filter((i) => number !== 2 || (i !== 3 && i !== 4)).map((i) => firstSec + i);
  return { tsSec, columns: { load1: tsSec.map(() => 1) } };
}

describe("the ledger of what became of every span", () => {
  let collector: RunningCollector;
  const ledger = async (query = MINUTE): Promise<StreamLedgerAnswer> =>
    (await collector.get<StreamLedgerAnswer>(`ledger?stream=${STREAM}&${query}`)).body;

  before(async () => {
    collector = await RunningCollector.start({ clock: () => SEALED_MS + 40_000 });
    const uplink = await collector.uplink(STREAM);
    const batches = [
      batch(1, [{ created: 110, received: 100, dropped: { agent_ring_full: 4 } }], {
        created: 110,
        received: 100,
        dropped: { agent_ring_full: 4 },
      }),
      // An older daemon's: it does not say what was created, nor any totals.
      batch(2, [{ received: 50, dropped: { frame_malformed: 2 } }], null),
      batch(3, [{ created: 0, received: -10, dropped: { dead_letter: 10 } }], {
        created: 162,
        received: 140,
        dropped: { agent_ring_full: 4, frame_malformed: 2, dead_letter: 10 },
      }),
      batch(5, [{ created: 7, received: 7 }], {
        created: 200,
        received: 178,
        dropped: { agent_ring_full: 4, frame_malformed: 2, dead_letter: 10 },
      }),
    ];
    for (const header of batches) assert.equal((await uplink.deliver(header)).type, "ack");
    await uplink.close();
  });
  after(() => collector.end());

  test("series and summary say how complete they are", async () => {
    const whole: Completeness = {
      created: 169,
      stored: 147,
      dropped: { agent_ring_full: 4, dead_letter: 10, frame_malformed: 2 },
      inFlight: 6,
      ratio: 147 / 163,
    };
    const { body: series } = await collector.get<AppSeriesAnswer>(`apps/shop/series?${MINUTE}`);
    assert.deepEqual(series.completeness, whole);
    assert.deepEqual(series.cols.completenessRatio.slice(0, 2), [100 / 104, 50 / 52]);
    const { body: summary } = await collector.get<{ completeness: Completeness }>(
      `apps/shop/summary?${MINUTE}`,
    );
    assert.deepEqual(summary.completeness, whole);
  });

  test("what is missing of an app is told by host and reason, with its time", async () => {
    const { body } = await collector.get<AppLedgerAnswer>(`apps/shop/ledger?${MINUTE}`);
    assert.deepEqual(
      [body.completeness.created, body.completeness.stored, body.completeness.ratio],
      [169, 147, 147 / 163],
    );
    assert.deepEqual(
      body.hosts.map(({ host, stored, inFlight }) => [host, stored, inFlight]),
      [["web-1", 147, 6]],
    );
    const window = (number: number) => ({
      firstUnixMs: FROM + (number - 1) * 10_000,
      lastUnixMs: FROM + number * 10_000,
    });
    assert.deepEqual(body.losses, [
      { host: "web-1", reason: "dead_letter", spans: 10, ...window(3) },
      { host: "web-1", reason: "agent_ring_full", spans: 4, ...window(1) },
      { host: "web-1", reason: "frame_malformed", spans: 2, ...window(2) },
    ]);
    assert.equal((await collector.get(`apps/nobody/ledger?${MINUTE}`)).status, 404);
  });

  test("what is missing of a host are the seconds between those that arrived", async () => {
    const whole: Completeness = {
      created: 50,
      stored: 28,
      dropped: { not_sampled: 22 },
      inFlight: 0,
      ratio: 28 / 50,
    };
    const { body } = await collector.get<HostLedgerAnswer>(`hosts/web-1/ledger?${MINUTE}`);
    assert.deepEqual(body.completeness, whole);
    assert.deepEqual(body.gaps, [
      { fromUnixMs: FROM + 13_000, toUnixMs: FROM + 15_000, missingMs: 2_000 },
      { fromUnixMs: FROM + 20_000, toUnixMs: FROM + 40_000, missingMs: 20_000 },
    ]);
    const { body: series } = await collector.get<HostSeriesAnswer>(
      `hosts/web-1/series?metrics=load1&stepMs=10000&${MINUTE}`,
    );
    assert.deepEqual(series.completeness, whole);
    assert.deepEqual(series.completenessRatios, [1, 0.8, 0, 0, 1, null]);
    assert.equal((await collector.get(`hosts/nobody/ledger?${MINUTE}`)).status, 404);
  });

  test("a missing batch shows in the sums, to the span", async () => {
    const answer = await ledger();
    assert.deepEqual(answer.committed, [
      { first: 1, last: 3 },
      { first: 5, last: 5 },
    ]);
    assert.equal(answer.opening.number, 0);
    assert.equal(answer.closing.number, 5);
    assert.equal(answer.closing.apps[0]?.received, 178);
    assert.deepEqual(answer.stored, [
      {
        app: "shop",
        created: 169,
        received: 147,
        dropped: { agent_ring_full: 4, dead_letter: 10, frame_malformed: 2 },
      },
    ]);
  });

  test("an audit of a part begins after the batch before it, and ends where it is told to", async () => {
    const later = await ledger(`from=${FROM + 50_000}&to=${FROM + 120_000}`);
    assert.deepEqual([later.opening.number, later.closing.number], [3, 5]);
    assert.deepEqual(later.stored, [{ app: "shop", created: 7, received: 7, dropped: {} }]);
    const upTo = await ledger(`${MINUTE}&upTo=4`);
    assert.deepEqual([upTo.opening.number, upTo.closing.number], [0, 3]);
    assert.deepEqual(upTo.opening.apps, []);
    assert.equal(upTo.stored[0]?.received, 140);
  });

  test("a stream that is unknown, or no stream's id, is said to be so", async () => {
    assert.equal((await collector.get(`ledger?stream=${randomUUID()}`)).status, 404);
    const { status, body } = await collector.get<{ error: { message: string } }>("ledger?stream=x");
    assert.equal(status, 400);
    assert.match(body.error.message, /"stream" is wrong: must be a stream's id/);
  });
});
