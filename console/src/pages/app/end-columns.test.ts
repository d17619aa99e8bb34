import assert from "node:assert/strict";
import { test } from "node:test";
import { endColumns } from "./end-columns.ts";

const none = (length: number): null[] => Array.from({ length }, () => null);

test("seconds that were not measured are gaps", () => {
  const columns = endColumns({
    unixMs: 103_700,
    curve: {
      tsSec: [100, 102],
      rssBytes: [1, 3],
      cpuRatio: none(2),
      heapUsedBytes: none(2),
      eventLoopDelayP99Ms: none(2),
    },
  });
  assert.deepEqual(columns?.cols["rssBytes"], [1, null, 3]);
  assert.deepEqual(
    [columns?.from, columns?.to, columns?.t0, columns?.stepMs],
    [100_000, 103_700, 100_000, 1_000],
  );
});

test("a report without seconds has no charts, one with absurd times no endless ones", () => {
  const curve = { tsSec: [], rssBytes: [], cpuRatio: [], heapUsedBytes: [], eventLoopDelayP99Ms: [] };
  assert.equal(endColumns({ unixMs: 1, curve }), null);
  const wide = { ...curve, tsSec: [1, 4_294_967_295], rssBytes: [1, 2] };
  assert.equal(endColumns({ unixMs: 1, curve: wide })?.cols["rssBytes"]?.length, 600);
});
