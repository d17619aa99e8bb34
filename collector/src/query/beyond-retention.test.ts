import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { BatchHeader, TraceSummary } from "@apm-daemon/protocol";
import { MAINTENANCE_JOBS } from "../store/store.ts";
import { OpenedStore } from "../testing/opened-store.ts";
import {
  histogramOf,
  sampleHeader,
  sampleHost,
  sampleRequests,
  WINDOW_SEC,
} from "../testing/sample-batch.ts";
import { type SampleSpan, spansFrame, traceSummary } from "../testing/sample-trace.ts";
import { appLedger } from "./app-ledger.ts";
import { errorGroup } from "./error-group.ts";
import { errorSeries } from "./error-series.ts";
import { errors } from "./errors.ts";
import { ends, events } from "./events.ts";
import { hostSeries } from "./host-details.ts";
import { hostLane } from "./host-lane.ts";
import { hosts } from "./hosts.ts";
import { operationSeries } from "./operation-series.ts";
import { hostLedger } from "./sample-completeness.ts";
import { selection } from "./selection.ts";
import { serviceMap } from "./service-map.ts";
import { slowStatements } from "./slow-statements.ts";
import { inUnits, type QueryRange } from "./time-range.ts";
import { traces } from "./traces.ts";
import { verdicts } from "./verdicts.ts";

const DAY_SEC = 86_400;
const START_MS = (WINDOW_SEC + 200) * 1_000;
const GROUP = "00000000000000e1";
const hex = (n: number, digits: number): string => n.toString(16).padStart(digits, "0");

/** Of 200 s all but 90 to 129, and 140 and 141. */
const SECONDS = Array.from({ length: 200 }, (_, i) => i).filter(
  (i) => (i < 90 || i >= 130) && i !== 140 && i !== 141,
);

/** Slow ones have a cause; of the others, a tenth is kept longer, by the end of their ids. */
function kept(day: number, n: number, isSlow: boolean): { summary: TraceSummary; frame: Buffer } {
  const traceId = hex(day * 1_000 + n, 32);
  const root: SampleSpan = {
    spanId: hex(day * 1_000 + n, 16),
    parentSpanId: "",
    name: "GET /",
    kind: 1,
    startMs: day * DAY_SEC * 1_000 + 2_000,
    durationMs: isSlow ? 800 : 10,
  };
  const verdict = {
    causes: [
      { kind: "disk", metric: "psiIoSomeRatio", unit: "ratio", value: 0.5, usual: 0.1, share: 0.6 },
    ] as const,
    time: { part: "code", ratio: 1, target: "" } as const,
    confidence: "high" as const,
    doubts: [],
    baselineSeconds: 60,
    seconds: 1,
  };
  const changes: Partial<TraceSummary> = isSlow
    ? { reason: "slow", verdict: { ...verdict, causes: [...verdict.causes] } }
    : {};
  return { summary: traceSummary(traceId, root, changes), frame: spansFrame(traceId, [root]) };
}

const tracesOf = (day: number) => [
  ...Array.from({ length: 12 }, (_, i) => kept(day, i, true)),
  ...Array.from({ length: 30 }, (_, i) => kept(day, 100 + i, false)),
];

/** What one host says of a day's 200 s: something of everything that a page shows. */
function headerOf(host: string, day: number): BatchHeader {
  const firstSec = WINDOW_SEC + day * DAY_SEC;
  const seconds = SECONDS.map((second) => firstSec + second);
  const at = { tsSec: firstSec };
  return sampleHeader({
    createdUnixMs: (firstSec + 200) * 1_000,
    host: sampleHost({ name: host, id: host }),
    hostSeconds: { tsSec: seconds, columns: { load1: SECONDS, cpuStealRatio: seconds.map(() => 0.3) } },
    hostSnapshot: {
      tsSec: firstSec + 10,
      coreBusyRatios: [0.1],
      disks: [],
      interfaces: [],
      filesystems: [],
      topProcesses: [{ pid: 9, user: "root", command: "gzip", cpuRatio: 0.7, rssBytes: 1, threads: 1 }],
    },
    processSeconds: [
      {
        app: "shop",
        instance: "i1",
        pid: 42,
        tsSec: seconds,
        columns: { cpuRatio: SECONDS, eventLoopDelayP99Ms: SECONDS, gcPauseMs: SECONDS },
      },
    ],
    actions: [
      sampleRequests([10_000, 800_000], at),
      sampleRequests([20_000], { ...at, status: 404, tsSec: firstSec + 60 }),
    ],
    operations: [
      {
        ...at,
        app: "shop",
        action: "GET /",
        category: "database",
        system: "postgresql",
        target: "db:5432",
        operation: "SELECT",
        statement: "00000000000000aa",
        calls: 3,
        errors: 1,
        sumUs: 6_000,
        maxUs: 3_000,
        histogram: histogramOf([1_000, 2_000, 3_000]),
      },
    ],
    errors: [
      {
        ...at,
        app: "shop",
        action: "GET /",
        group: GROUP,
        type: "Error",
        message: "no",
        stack: "",
        count: 2,
        traceId: hex(day * 1_000, 32),
      },
    ],
    slowStatements: [
      {
        app: "shop",
        action: "GET /",
        endUnixMs: firstSec * 1_000,
        operation: "SELECT",
        statement: "00000000000000aa",
        text: "SELECT 1",
        durationUs: 600_000,
        traceId: hex(1, 32),
        stack: "",
        system: "postgresql",
        target: "db:5432",
        error: false,
      },
    ],
    ledger: [
      { ...at, app: "shop", created: 110, received: 100, dropped: { agent_ring_full: 4 } },
      { app: "shop", tsSec: firstSec + 130, created: 10, received: 10, dropped: {} },
    ],
  });
}

/** Keeps rows for a day, sums by the minute for three, errors and traces for five. */
const RETENTION = { days: 1, minutesDays: 3, tracesDays: 1, sampledTracesDays: 5, recordsDays: 5 };

describe("what is older than the rows that it was made of", () => {
  let opened: OpenedStore;
  const write = async (day: number): Promise<void> => {
    for (const host of ["web-1", "web-2"]) {
      const parts = host === "web-1" ? tracesOf(day) : [];
      const header = { ...headerOf(host, day), traces: parts.map(({ summary }) => summary) };
      const frames = parts.map(({ frame }) => frame);
      await opened.store.write({ batch: { header, frames }, receivedMs: opened.nowMs, bytes: 1_000 });
    }
  };
  const later = async (days: number): Promise<void> => {
    opened.nowMs = START_MS + days * DAY_SEC * 1_000;
    for (const job of MAINTENANCE_JOBS) await opened.store.maintain(job);
  };
  const range = (fromSec: number, toSec: number): QueryRange => {
    const asked = { fromSec: WINDOW_SEC + fromSec, toSec: WINDOW_SEC + toSec, nowMs: opened.nowMs };
    return inUnits(asked, opened.store.resolutionSec(asked));
  };
  /** The first day's data, in a range of whole minutes. */
  const first = (): QueryRange => range(0, 240);

  before(async () => {
    opened = await OpenedStore.open(START_MS, RETENTION);
    await write(0);
  });
  after(() => opened.close());

  const all = async () => {
    const { store } = opened;
    const [series, lane, ledger, hostLoss, groups, chart, calls, map] = await Promise.all([
      hostSeries(store, "web-1", first(), { metrics: ["load1"], stepMs: 60_000 }),
      store.hosts.processSeries(
        { host: "web-1", instance: "i1" },
        ["cpuRatio", "eventLoopDelayP99Ms", "gcPauseMs"],
        first(),
        60,
      ),
      appLedger(store, "shop", first()),
      hostLedger(store, "web-1", first()),
      errors(store, "shop", first()),
      errorSeries(store, "shop", first(), { stepMs: 60_000 }),
      operationSeries(store, "shop", first(), {
        category: "database",
        by: "operation",
        limit: 10,
        stepMs: 60_000,
      }),
      serviceMap(store, first()),
    ]);
    const ended = ledger.losses.map(({ host, reason, spans }) => ({ host, reason, spans }));
    return {
      cols: series.cols,
      completeness: series.completeness,
      ratios: series.completenessRatios,
      lane: lane?.steps.map(({ stepStartSec, values: { cpuRatio, eventLoopDelayP99Ms, gcPauseMs } }) => [
        stepStartSec,
        cpuRatio,
        eventLoopDelayP99Ms,
        gcPauseMs,
      ]),
      ledger: [ledger.completeness, ledger.hosts, ended],
      lossTimes: ledger.losses,
      seconds: hostLoss.completeness,
      missingMs: hostLoss.gaps.map(({ missingMs }) => missingMs),
      errors: groups.errors.map(({ group, count, isNew }) => [group, count, isNew]),
      errorTypes: chart.types,
      calls: [calls.all.calls, calls.groups.map(({ cols, durationMs }) => [cols, durationMs])],
      edges: map.edges.map(({ from, to, calls, errors }) => [from, to, calls, errors]),
    };
  };

  test("is answered from sums by the minute as it was from the rows", async () => {
    await later(0);
    const asArrived = await all();
    assert.deepEqual(asArrived.missingMs, [40_000, 2_000]);
    assert.deepEqual(asArrived.ratios, [1, 0.5, 48 / 60, 1]);
    assert.deepEqual(asArrived.lane?.[1], [WINDOW_SEC + 60, 74.5, 89, 2_235]);
    assert.equal(asArrived.lossTimes[0]?.firstUnixMs, WINDOW_SEC * 1_000);
    await later(2.5);
    assert.ok(!(await opened.store.size()).days.includes("2026-11-23"), "the rows are gone");
    assert.deepEqual(await all(), asArrived);
    const { gaps } = await hostLedger(opened.store, "web-1", first());
    assert.deepEqual(gaps, [
      { fromUnixMs: (WINDOW_SEC + 90) * 1_000, toUnixMs: (WINDOW_SEC + 130) * 1_000, missingMs: 40_000 },
      // Of these it is known in which minute they were.
      { fromUnixMs: (WINDOW_SEC + 131) * 1_000, toUnixMs: (WINDOW_SEC + 179) * 1_000, missingMs: 2_000 },
    ]);
    const [web1] = (await hosts(opened.store, first())).hosts;
    assert.deepEqual([web1?.host, web1?.load1, web1?.eventLoopDelayMs], ["web-1", 189.5, 189.5]);
  });

  test("has its busiest process no more, which is not the same as none", async () => {
    const lane = await hostLane(opened.store, "web-1", first(), { instance: "i1" });
    assert.equal(lane.busiest, null);
    assert.deepEqual(lane.process?.cols["gcPauseMs"]?.slice(0, 2), [1_770, 2_235]);
    assert.equal((await verdicts(opened.store, first())).apps[0]?.thresholdMs, 500, "the app's T is known");
  });

  test("differs in nothing from what is new, where only its age does", async () => {
    await write(3);
    await later(3.5);
    const { store } = opened;
    const whole = range(0, 3 * DAY_SEC + 600);
    const of = (day: number) => ({
      action: "GET /",
      selectedFrom: (WINDOW_SEC + day * DAY_SEC) * 1_000,
      selectedTo: (WINDOW_SEC + day * DAY_SEC + 60) * 1_000,
      minMs: 0,
    });
    const old = await selection(store, "shop", whole, of(0));
    assert.deepEqual([old.selected.requests, old.rest.requests], [4, 8], "of a whole minute");
    assert.deepEqual([old.selected.kept, old.rest.kept], [15, 42]);
    assert.deepEqual([old.selected.sampled, old.rest.sampled], [15, 15]);
    assert.deepEqual(old.differences, []);
    const recent = await selection(store, "shop", whole, of(3));
    assert.deepEqual(recent.differences, [], "seconds of the old ones are not known");
    const today = await selection(store, "shop", range(3 * DAY_SEC, 3 * DAY_SEC + 600), of(3));
    assert.equal(today.selected.requests, 4, "to the minute, while it is kept");
  });

  test("says from when on errors, ends and traces are kept, and claims nothing of before", async () => {
    await later(5.5);
    const { store } = opened;
    const keptFrom = Date.UTC(2026, 10, 23);
    const known = await errors(store, "shop", range(-600, 600));
    assert.deepEqual([known.keptFrom, known.errors[0]?.count, known.errors[0]?.isNew], [null, 4, true]);
    const long = await errorSeries(store, "shop", range(-DAY_SEC, DAY_SEC), {});
    assert.deepEqual([long.keptFrom, long.count], [keptFrom, 4]);
    const values = long.types[0]?.values ?? [];
    const keptStep = (keptFrom - long.t0) / long.stepMs;
    assert.ok(values.slice(0, keptStep).every((value) => value === null));
    assert.ok(values.includes(4));
    const partly = await errors(store, "shop", range(-DAY_SEC, DAY_SEC));
    assert.deepEqual([partly.errors[0]?.isNew, partly.errors[0]?.sparkline.counts[0]], [null, null]);

    await later(8.5);
    const gone = await errorSeries(store, "shop", first(), {});
    assert.deepEqual([gone.count, gone.types], [null, []]);
    assert.ok((gone.keptFrom ?? 0) >= gone.to);
    assert.deepEqual((await errors(store, "shop", first())).errors, []);
    await assert.rejects(errorGroup(store, "shop", GROUP, first()), { name: "NotFound" });
    for (const answer of [
      await events(store, "shop", first(), 10),
      await ends(store, first(), 10),
      await slowStatements(store, "shop", first(), { limit: 10 }),
      await traces(store, "shop", first(), {
        action: undefined,
        error: undefined,
        hasRepeat: undefined,
        sort: "recent",
        limit: 10,
      }),
    ])
      assert.ok((answer.keptFrom ?? 0) >= answer.to, JSON.stringify(answer));
  });

  test("is known by the hour at last: how much, though no longer when within it", async () => {
    const { store } = opened;
    const { completeness, gaps } = await hostLedger(store, "web-1", first());
    assert.deepEqual(completeness, {
      created: 200,
      stored: 158,
      dropped: { not_sampled: 42 },
      inFlight: 0,
      ratio: 158 / 200,
    });
    assert.deepEqual(gaps, [
      { fromUnixMs: (WINDOW_SEC + 1) * 1_000, toUnixMs: (WINDOW_SEC + 199) * 1_000, missingMs: 42_000 },
    ]);
    const ledger = await appLedger(store, "shop", first());
    assert.deepEqual(
      [ledger.completeness.created, ledger.losses[0]?.spans, ledger.hosts.map(({ host }) => host)],
      [240, 4, ["web-1", "web-2"]],
    );
    const nothing = await hostLedger(store, "web-1", range(-3 * DAY_SEC, -2 * DAY_SEC));
    assert.deepEqual([nothing.completeness.ratio, nothing.gaps], [null, []]);
  });
});
