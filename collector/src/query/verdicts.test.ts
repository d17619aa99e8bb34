import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { AppEvent, Verdict, VerdictCause } from "@apm-daemon/protocol";
import { RunningCollector } from "../testing/running-collector.ts";
import { sampleHeader, sampleHost, sampleRequests, WINDOW_SEC } from "../testing/sample-batch.ts";
import { type SampleSpan, spansFrame, traceSummary } from "../testing/sample-trace.ts";
import type { EndsAnswer } from "./events.ts";
import type { HostLaneAnswer } from "./host-lane.ts";
import type { AppVerdictsAnswer, VerdictsAnswer } from "./verdicts.ts";

const FROM = WINDOW_SEC * 1000;
const RANGE = `from=${FROM}&to=${FROM + 60_000}`;

const disk: VerdictCause = {
  kind: "disk",
  metric: "psiIoSomeRatio",
  unit: "ratio",
  value: 0.6,
  usual: 0.01,
  share: 0.5,
};

function verdict(cause: VerdictCause | null, confidence: Verdict["confidence"]): Verdict {
  return {
    causes: cause ? [cause] : [],
    time: { part: "database", ratio: 0.7, target: "db:5432" },
    confidence,
    doubts: [],
    baselineSeconds: 300,
    seconds: 2,
  };
}

function kept(n: number, durationMs: number, why: Verdict, app = "shop") {
  const traceId = n.toString(16).padStart(32, "0");
  const spanId = n.toString(16).padStart(16, "0");
  const root: SampleSpan = { spanId, parentSpanId: "", name: "GET /", kind: 1, startMs: 2_000, durationMs };
  return {
    summary: traceSummary(traceId, root, { app, reason: "slow", verdict: why }),
    frame: spansFrame(traceId, [root]),
  };
}

const crash = {
  id: "e".repeat(32),
  tsMs: FROM + 5_000,
  app: "idle",
  instance: "i9",
  pid: 99,
  runtime: "node",
  startUnixMs: FROM,
  kind: "crash",
  title: "Killed by signal 9",
  exitCode: null,
  error: null,
  evidence: {
    connection: "closed",
    signal: 9,
    exitStatus: null,
    cgroup: "",
    cgroupVersion: null,
    cgroupProcesses: null,
    oomKills: null,
    hostOomKills: null,
    countersUnixMs: null,
    memoryLimitBytes: null,
    memoryUsedBytes: null,
    memoryLimitHits: null,
    rssBytes: null,
    rssUnixMs: null,
    notBeforeUnixMs: FROM,
    notAfterUnixMs: FROM + 5_000,
  },
  inFlight: [],
  inFlightUnixMs: null,
  lastCalls: [],
  crashWindowMs: null,
  spansLostAtLeast: 0,
  curve: { tsSec: [], rssBytes: [], cpuRatio: [], heapUsedBytes: [], eventLoopDelayP99Ms: [] },
} satisfies AppEvent;

describe("why requests were slow, by app", () => {
  let collector: RunningCollector;
  before(async () => {
    collector = await RunningCollector.start({ clock: () => FROM + 60_000 });
    const uplink = await collector.uplink();
    const traces = [
      kept(1, 900, verdict(disk, "medium")),
      kept(2, 800, verdict({ ...disk, share: 0.9 }, "high")),
      kept(3, 700, verdict({ ...disk, share: 0.4 }, "high")),
      kept(4, 600, verdict({ ...disk, kind: "external", metric: "durationMs", target: "pay:80" }, "low")),
      ...[5, 6, 7, 8].map((n) => kept(n, 501, verdict(null, "low"))),
      // As long as T is not slow.
      kept(9, 500, verdict({ ...disk, kind: "swap" }, "high")),
      kept(10, 2_000, verdict({ ...disk, kind: "cpu_steal" }, "high"), "billing"),
    ];
    const header = sampleHeader({
      apps: [
        { app: "shop", apdexTMs: 500, instances: [] },
        { app: "billing", apdexTMs: 1_000, instances: [] },
        { app: "idle", apdexTMs: 500, instances: [] },
      ],
      actions: [sampleRequests([1])],
      traces: traces.map(({ summary }) => summary),
      events: [crash],
      hostSeconds: {
        tsSec: [WINDOW_SEC, WINDOW_SEC + 1, WINDOW_SEC + 3],
        columns: {
          cpuStealRatio: [0.1, 0.2, 0.3],
          psiIoSomeRatio: [0, null, 0.5],
          cpuIowaitRatio: [0, 0, 0.25],
        },
      },
      hostSnapshot: {
        tsSec: WINDOW_SEC + 10,
        coreBusyRatios: [],
        disks: [],
        interfaces: [],
        filesystems: [],
        topProcesses: [
          { pid: 42, user: "shop", command: "node app.js", cpuRatio: 0.9, rssBytes: 1, threads: 1 },
          { pid: 43, user: "root", command: "gzip -9", cpuRatio: 0.7, rssBytes: 1, threads: 1 },
        ],
      },
      processSeconds: [
        {
          app: "shop",
          instance: "i1",
          pid: 42,
          tsSec: [WINDOW_SEC, WINDOW_SEC + 3],
          columns: { gcPauseMs: [12, 80], eventLoopDelayP99Ms: [1, 220] },
        },
      ],
    });
    const frames = traces.map(({ frame }) => frame);
    assert.equal((await uplink.deliver(header, frames)).type, "ack");
    const other = sampleHeader({ host: sampleHost({ name: "web-2", id: "other" }) });
    assert.equal((await uplink.deliver(other)).type, "ack");
    await uplink.close();
  });
  after(() => collector.end());

  test("counts slow kept traces by their strongest cause, and shows the clearest", async () => {
    const { body } = await collector.get<AppVerdictsAnswer>(`apps/shop/verdicts?${RANGE}`);
    assert.deepEqual([body.app, body.thresholdMs, body.slow], ["shop", 500, 8]);
    assert.deepEqual(
      body.groups.map(({ kind, target, time, traces, confidence, example }) => [
        kind,
        target,
        time?.target ?? null,
        traces,
        confidence.high,
        confidence.medium,
        confidence.low,
        example.durationMs,
      ]),
      [
        ["disk", "", null, 3, 2, 1, 0, 800],
        ["external", "pay:80", null, 1, 0, 0, 1, 600],
        ["", "", "db:5432", 4, 0, 0, 4, 501],
      ],
    );
    const [first] = body.groups;
    assert.deepEqual(first?.example.verdict.causes, [{ ...disk, share: 0.9 }]);
    assert.equal(first?.example.traceId, "2".padStart(32, "0"));
    const { body: all } = await collector.get<VerdictsAnswer>(`verdicts?${RANGE}`);
    assert.deepEqual(
      all.apps.map(({ app, slow, thresholdMs, groups }) => [app, slow, thresholdMs, groups[0]?.kind]),
      [
        ["shop", 8, 500, "disk"],
        ["billing", 1, 1_000, "cpu_steal"],
      ],
    );
    const { body: none } = await collector.get<AppVerdictsAnswer>(`apps/idle/verdicts?${RANGE}`);
    assert.deepEqual([none.slow, none.thresholdMs, none.groups], [0, 500, []]);
    assert.equal((await collector.get(`apps/nobody/verdicts?${RANGE}`)).status, 404);
  });

  test("lists the ends of all apps' processes", async () => {
    const { body } = await collector.get<EndsAnswer>(`ends?${RANGE}`);
    assert.deepEqual(body.ends, [
      {
        id: crash.id,
        app: "idle",
        kind: "crash",
        title: crash.title,
        pid: 99,
        host: "web-1",
        unixMs: FROM + 5_000,
      },
    ]);
  });

  test("shows a host second by second, with one process and the busiest other one; null where nothing came", async () => {
    const call = `hosts/web-1/lane?from=${FROM}&to=${FROM + 10_000}`;
    const { body } = await collector.get<HostLaneAnswer>(`${call}&instance=i1`);
    const rest = [null, null, null, null, null, null];
    assert.deepEqual([body.t0, body.stepMs], [FROM, 1_000]);
    assert.deepEqual(body.cols["cpuStealRatio"], [0.1, 0.2, null, 0.3, ...rest]);
    assert.deepEqual(body.cols["psiIoSomeRatio"], [0, null, null, 0.5, ...rest]);
    assert.deepEqual([body.process?.app, body.process?.pid], ["shop", 42]);
    assert.deepEqual(body.process?.cols["gcPauseMs"], [12, null, null, 80, ...rest]);
    assert.deepEqual(body.process?.cols["eventLoopDelayP99Ms"], [1, null, null, 220, ...rest]);
    const times = { from: FROM, to: FROM + 10_000 };
    const gzip = { ...times, pid: 43, user: "root", command: "gzip -9", cpuRatio: 0.7 };
    assert.deepEqual(body.busiest, [gzip]);
    const { body: alone } = await collector.get<HostLaneAnswer>(call);
    assert.equal(alone.process, null);
    assert.equal(alone.busiest?.[0]?.pid, 42);
    const { body: quiet } = await collector.get<HostLaneAnswer>(
      `hosts/web-2/lane?from=${FROM}&to=${FROM + 10_000}`,
    );
    assert.deepEqual(
      [quiet.cols["cpuStealRatio"]?.every((value) => value === null), quiet.busiest],
      [true, []],
    );
    assert.equal((await collector.get(`hosts/nobody/lane?${RANGE}`)).status, 404);
  });

  test("hosts show what presses them, and the latest event loop", async () => {
    const { body } = await collector.get<{ hosts: Record<string, unknown>[] }>(`hosts?${RANGE}`);
    assert.deepEqual(
      body.hosts.map((host) => [
        host["host"],
        host["stealRatio"],
        host["iowaitRatio"],
        host["psiIoRatio"],
        host["psiCpuRatio"],
        host["eventLoopDelayMs"],
      ]),
      [
        ["web-1", 0.3, 0.25, 0.5, null, 220],
        ["web-2", null, null, null, null, null],
      ],
    );
  });
});

test("verdicts that a faulty daemon sent harm no others", async () => {
  const collector = await RunningCollector.start({ clock: () => FROM + 60_000 });
  const uplink = await collector.uplink();
  const external = { ...disk, kind: "external", target: "pg" } as const;
  const traces = [
    kept(1, 900, verdict({ ...external, target: "pg\ud800" }, "high")),
    kept(2, 900, verdict(external, "high")),
    kept(3, 900, verdict(external, "low")),
  ];
  const header = sampleHeader({
    apps: [
      { app: "shop", apdexTMs: 500, instances: [] },
      { app: "sh\ud800op", apdexTMs: 500, instances: [] },
    ],
    actions: [sampleRequests([1])],
    traces: traces.map(({ summary }) => summary),
  });
  const frames = traces.map(({ frame }) => frame);
  assert.equal((await uplink.deliver(header, frames)).type, "ack");
  await uplink.close();
  const { body } = await collector.get<VerdictsAnswer>(`verdicts?${RANGE}`);
  const [shop] = body.apps;
  assert.deepEqual([shop?.app, shop?.slow], ["shop", 3]);
  assert.deepEqual(
    shop?.groups.map(({ target, traces }) => [target, traces]),
    [
      ["pg", 2],
      ["pg\ud800", 1],
    ],
  );
  await collector.end();
});
