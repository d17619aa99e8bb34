import assert from "node:assert/strict";
import { test } from "node:test";
import { LIVE_SPAN_SEC, liveHostColumns, liveRequestColumns, withSecond } from "./live-columns.ts";
import type { LiveSecond } from "./live-feed.ts";

const NOW = 1_795_420_800;
const second = (tsSec: number, load1: number): LiveSecond => ({ host: "web-1", tsSec, values: { load1 } });

test("what is kept is in order, each once, and does not grow", () => {
  let seconds: LiveSecond[] = [];
  for (let i = 0; i < 1000; i++) seconds = withSecond(seconds, second(NOW + i, i));
  assert.equal(seconds.length, LIVE_SPAN_SEC);
  assert.equal(seconds[0]?.tsSec, NOW + 1000 - LIVE_SPAN_SEC);
  assert.equal(withSecond(seconds, second(NOW + 999, 7)).length, LIVE_SPAN_SEC);
  const late = withSecond([second(NOW, 1), second(NOW + 2, 3)], second(NOW + 1, 2));
  assert.deepEqual(
    late.map(({ tsSec }) => tsSec - NOW),
    [0, 1, 2],
  );
});

test("live seconds go on where the stored ones end, and a gap between them stays one", () => {
  const from = (NOW - 300) * 1000;
  const stored = Array.from({ length: 300 }, (_, i) => (i < 290 ? i : null));
  const base = { from, to: NOW * 1000, t0: from, stepMs: 1000, host: "web-1", cols: { load1: stored } };
  const live = liveHostColumns(base, [second(NOW - 8, 1000), second(NOW + 1, 1001)]);
  assert.equal(live.to, (NOW + 2) * 1000);
  assert.equal(live.t0, (NOW + 2 - LIVE_SPAN_SEC) * 1000);
  assert.equal(live.isLive, true);
  const { load1 } = live.cols;
  assert.equal(load1?.length, LIVE_SPAN_SEC);
  assert.equal(load1?.[0], 2);
  assert.deepEqual(load1?.slice(-13), [
    289,
    null,
    null,
    1000,
    ...Array.from({ length: 8 }, () => null),
    1001,
  ]);
  assert.deepEqual(live.completenessRatios?.slice(-1), [1]);
});

test("without live seconds, or by coarser steps, the stored ones stay as they are", () => {
  const base = { from: 0, to: 20_000, t0: 0, stepMs: 10_000, cols: { load1: [1, 2] } };
  assert.equal(liveHostColumns(base, [second(NOW, 1)]), base);
  assert.equal(liveHostColumns({ ...base, stepMs: 1000 }, []).isLive, undefined);
});

test("an app's requests add up over its hosts, up to the second that all have told", () => {
  const told = (
    host: string,
    tsSec: number,
    requests: number,
    errors: number,
    sumUs: number,
  ): LiveSecond => ({
    host,
    tsSec,
    requests,
    errors,
    sumUs,
  });
  const columns = liveRequestColumns([
    told("web-1", NOW, 2, 1, 4000),
    told("web-2", NOW, 2, 0, 8000),
    told("web-1", NOW + 1, 0, 0, 0),
    told("web-2", NOW + 1, 0, 0, 0),
    told("web-1", NOW + 2, 9, 0, 9000),
    told("gone", NOW - 60, 1, 0, 1000),
  ]);
  assert.equal(columns?.to, (NOW + 2) * 1000);
  assert.deepEqual(columns?.cols["requests"]?.slice(-3), [null, 4, 0]);
  assert.deepEqual(columns?.cols["errors"]?.slice(-2), [1, 0]);
  assert.deepEqual(columns?.cols["avgMs"]?.slice(-2), [3, null]);
  assert.equal(columns?.cols["requests"]?.at(-62), 1);
  assert.equal(liveRequestColumns([]), null);
});
