import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { HOST_METRICS } from "@apm-daemon/protocol";
import { type Answer, RunningCollector } from "../testing/running-collector.ts";
import { WINDOW_SEC } from "../testing/sample-batch.ts";
import { SPREAD_US, twoHosts } from "../testing/two-hosts.ts";

const FROM = WINDOW_SEC * 1000;
/** One minute: windows 0 to 5. */
const MINUTE = `from=${FROM}&to=${FROM + 60_000}`;

interface Statistics {
  requests: number;
  errors: number;
  errorRate: number;
  apdex: number;
  apdexTMs: number;
  satisfied: number;
  tolerating: number;
  frustrated: number;
  responseTimeMs: { avg: number; p50: number; p95: number; p99: number; max: number };
  throughputRpm: number;
  timeSplitMs: Record<"code" | "database" | "cache" | "external" | "queue", number>;
  totalTimeMs: number;
}
type Columns = Record<string, (number | null)[]>;

describe("the API", () => {
  let collector: RunningCollector;
  // The clock stands in the middle of the minute asked for, so half of it has passed.
  before(async () => {
    collector = await RunningCollector.start({ clock: () => FROM + 30_000 });
    const uplink = await collector.uplink();
    for (const header of twoHosts()) assert.equal((await uplink.deliver(header)).type, "ack");
    await uplink.close();
  });
  after(() => collector.end());

  const get = <T>(call: string): Promise<Answer<T>> => collector.get<T>(call);

  test("summary: counts exactly, and percentiles within the histogram's error", async () => {
    const { body } = await get<Statistics & Record<string, unknown>>(`apps/shop/summary?${MINUTE}`);
    const { responseTimeMs, ...rest } = body;
    assert.deepEqual(rest, {
      app: "shop",
      from: FROM,
      to: FROM + 60_000,
      requests: 1_032,
      errors: 12,
      errorRate: 12 / 1_032,
      satisfied: 520,
      tolerating: 500,
      frustrated: 12,
      apdex: 770 / 1_032,
      apdexTMs: 500,
      throughputRpm: 2_064,
      timeSplitMs: {
        code: 380_200_000 / 1_032 / 1_000,
        database: 100_000_000 / 1_032 / 1_000,
        cache: 20_000_000 / 1_032 / 1_000,
        external: 500_000 / 1_032 / 1_000,
        queue: 3_000_000 / 1_032 / 1_000,
      },
      totalTimeMs: 500_700,
      hosts: ["web-1", "web-2"],
      completeness: { created: 0, stored: 0, dropped: {}, inFlight: 0, ratio: null },
    });
    assert.equal(responseTimeMs.avg, 500_700_000 / 1_032 / 1_000);
    assert.equal(responseTimeMs.max, 1_000);
    const sorted = [
      ...SPREAD_US,
      ...Array.from({ length: 20 }, () => 5_000),
      ...Array.from({ length: 12 }, () => 8_333),
    ].sort((a, b) => a - b);
    for (const [name, q] of [
      ["p50", 0.5],
      ["p95", 0.95],
      ["p99", 0.99],
    ] as const) {
      const exactMs = (sorted[Math.ceil(q * sorted.length) - 1] ?? 0) / 1_000;
      const error = Math.abs(responseTimeMs[name] / exactMs - 1);
      assert.ok(error <= 0.011, `${name} is ${responseTimeMs[name]}, exactly ${exactMs}`);
    }
  });

  test("the same counts come back however the range is cut into windows", async () => {
    let requests = 0;
    for (let from = FROM - 60_000; from < FROM + 60_000; from += 10_000) {
      const { body } = await get<Statistics>(`apps/shop/summary?from=${from}&to=${from + 10_000}`);
      requests += body.requests;
    }
    assert.equal(requests, 1_032);
    const { body } = await get<Statistics & { from: number; to: number }>(
      `apps/shop/summary?from=${FROM + 1}&to=${FROM + 9_999}`,
    );
    assert.deepEqual([body.from, body.to, body.requests], [FROM, FROM + 10_000, 1_020]);
  });

  test("without requests there is nothing to divide by", async () => {
    const { body } = await get<Statistics>(`apps/shop/summary?from=${FROM - 20_000}&to=${FROM}`);
    assert.deepEqual(
      [body.requests, body.errorRate, body.apdex, body.responseTimeMs, body.timeSplitMs, body.throughputRpm],
      [0, null, null, null, null, 0],
    );
  });

  test("background work is counted where it is asked for", async () => {
    const requests = async (query: string): Promise<number> =>
      (await get<Statistics>(`apps/shop/summary?${MINUTE}${query}`)).body.requests;
    assert.equal(await requests(""), 1_032);
    assert.equal(await requests("&kind=background"), 7);
    assert.equal(await requests("&kind=all"), 1_039);
  });

  test("apps: each with its statistics, hosts and sparkline", async () => {
    const { body } = await get<{ apps: (Statistics & Record<string, unknown>)[] }>(`apps?${MINUTE}`);
    assert.deepEqual(
      body.apps.map(({ app, requests, hosts, apdexTMs }) => ({ app, requests, hosts, apdexTMs })),
      [
        { app: "idle", requests: 0, hosts: ["web-2"], apdexTMs: 250 },
        { app: "shop", requests: 1_032, hosts: ["web-1", "web-2"], apdexTMs: 500 },
      ],
    );
    assert.deepEqual(body.apps[1]?.["sparkline"], {
      t0: FROM,
      stepMs: 10_000,
      requests: [1_020, 12, 0, 0, 0, 0],
    });
    assert.equal(body.apps[1]?.["lastSeenUnixMs"], FROM + 30_000);
  });

  test("series: sums per step equal the summary; null where the app did not report", async () => {
    const { body } = await get<{ t0: number; stepMs: number; cols: Columns }>(`apps/shop/series?${MINUTE}`);
    const { cols } = body;
    assert.deepEqual([body.t0, body.stepMs], [FROM, 10_000]);
    assert.deepEqual(cols["requests"], [1_020, 12, 0, null, null, null]);
    assert.deepEqual(cols["errors"], [0, 12, 0, null, null, null]);
    assert.deepEqual(cols["errorRate"], [0, 1, null, null, null, null]);
    assert.deepEqual(cols["apdex"], [770 / 1_020, 0, null, null, null, null]);
    assert.deepEqual(cols["throughputRpm"], [6_120, 72, 0, null, null, null]);
    assert.deepEqual(cols["status2xx"], [1_020, 0, 0, null, null, null]);
    assert.deepEqual(cols["status5xx"], [0, 12, 0, null, null, null]);
    assert.deepEqual(cols["avgMs"], [
      500_600_000 / 1_020 / 1_000,
      100_000 / 12 / 1_000,
      null,
      null,
      null,
      null,
    ]);
    assert.deepEqual(cols["databaseMs"], [100_000_000 / 1_020 / 1_000, 0, null, null, null, null]);
    assert.equal(Object.keys(cols).length, 19);
    for (const [name, column] of Object.entries(cols)) assert.equal(column.length, 6, name);
  });

  test("series: a coarser step and one action on request", async () => {
    const { body } = await get<{ t0: number; stepMs: number; cols: Columns }>(
      `apps/shop/series?${MINUTE}&stepMs=30000&action=${encodeURIComponent("GET /items/:id")}`,
    );
    assert.deepEqual([body.t0, body.stepMs], [FROM, 30_000]);
    assert.deepEqual(body.cols["requests"], [1_000, null]);
  });

  test("actions: shares of wall-clock time and of dissatisfaction, in every order", async () => {
    interface Action extends Statistics {
      action: string;
      kind: string;
      wallClockShare: number;
      dissatisfactionShare: number;
    }
    const { body } = await get<{ totalTimeMs: number; actions: Action[] }>(`apps/shop/actions?${MINUTE}`);
    assert.equal(body.totalTimeMs, 500_700);
    assert.deepEqual(
      body.actions.map(({ action, kind, requests, wallClockShare, dissatisfactionShare }) => ({
        action,
        kind,
        requests,
        wallClockShare,
        dissatisfactionShare,
      })),
      [
        {
          action: "GET /items/:id",
          kind: "web",
          requests: 1_000,
          wallClockShare: 500_500 / 500_700,
          dissatisfactionShare: 250 / 262,
        },
        {
          action: "GET /",
          kind: "web",
          requests: 20,
          wallClockShare: 100 / 500_700,
          dissatisfactionShare: 0,
        },
        {
          action: "POST /pay",
          kind: "web",
          requests: 12,
          wallClockShare: 100 / 500_700,
          dissatisfactionShare: 12 / 262,
        },
      ],
    );
    const order = async (query: string): Promise<string[]> =>
      (await get<{ actions: Action[] }>(`apps/shop/actions?${MINUTE}&${query}`)).body.actions.map(
        ({ action }) => action,
      );
    assert.deepEqual(await order("sort=slowest"), ["GET /items/:id", "POST /pay", "GET /"]);
    assert.deepEqual(await order("sort=dissatisfaction"), ["GET /items/:id", "POST /pay", "GET /"]);
    assert.deepEqual(await order("sort=throughput"), ["GET /items/:id", "GET /", "POST /pay"]);
    assert.deepEqual(await order("sort=errors"), ["POST /pay", "GET /items/:id", "GET /"]);
    assert.deepEqual(await order("kind=background"), ["nightly"]);
    assert.equal((await order("kind=all")).length, 4);
  });

  test("status codes: each counted exactly, ascending, without background work", async () => {
    const { body } = await get<{ requests: number; statusCodes: unknown[] }>(
      `apps/shop/status-codes?${MINUTE}`,
    );
    assert.equal(body.requests, 1_032);
    assert.deepEqual(body.statusCodes, [
      { code: 200, count: 1_020, share: 1_020 / 1_032 },
      { code: 503, count: 12, share: 12 / 1_032 },
    ]);
    const one = await get<{ statusCodes: { code: number }[] }>(
      `apps/shop/status-codes?${MINUTE}&action=${encodeURIComponent("POST /pay")}`,
    );
    assert.deepEqual(one.body.statusCodes, [{ code: 503, count: 12, share: 1 }]);
  });

  test("slow statements: of an app, or of one of its actions", async () => {
    const list = async (query: string): Promise<object[]> =>
      (await get<{ slowStatements: object[] }>(`apps/shop/slow-statements?${MINUTE}${query}`)).body
        .slowStatements;
    const [slow, ...others] = (await list("")) as { host?: string; endUnixMs?: number }[];
    assert.deepEqual(others, []);
    const { host: _, endUnixMs: __, ...shown } = slow ?? {};
    assert.deepEqual(shown, {
      app: "shop",
      action: "GET /items/:id",
      system: "postgresql",
      target: "db:5432",
      operation: "SELECT items",
      statement: "00000000000000aa",
      statementText: "select * from items where id = ?",
      durationMs: 900.5,
      error: false,
      traceId: "ab".repeat(16),
      stack: "    at items (app.js:1:1)",
    });
    assert.deepEqual(await list(`&action=${encodeURIComponent("GET /")}`), []);
    assert.equal((await list(`&action=${encodeURIComponent("GET /items/:id")}`)).length, 1);
    assert.equal((await list("&statement=00000000000000aa")).length, 1);
    assert.deepEqual(await list("&statement=00000000000000ab"), []);
  });

  test("operations: with statement, callers and share of their category", async () => {
    interface Operation {
      durationMs: { avg: number; p50: number; max: number };
      [name: string]: unknown;
    }
    const { body } = await get<{ operations: Operation[] }>(`apps/shop/operations?${MINUTE}`);
    const [select, cacheGet, insert] = body.operations;
    assert.equal(body.operations.length, 3);
    assert.deepEqual(
      { ...select, durationMs: null },
      {
        category: "database",
        system: "postgresql",
        target: "db:5432",
        operation: "SELECT items",
        statement: "00000000000000aa",
        statementText: "select * from items where id = ?",
        calls: 2_010,
        errors: 1,
        totalTimeMs: 90_500,
        durationMs: null,
        callsPerMinute: 4_020,
        share: 90_500 / 100_500,
        actions: [
          { action: "GET /items/:id", calls: 2_000, totalTimeMs: 90_000 },
          { action: "GET /", calls: 10, totalTimeMs: 500 },
        ],
      },
    );
    assert.equal(select?.durationMs.avg, 90_500_000 / 2_010 / 1_000);
    assert.equal(select?.durationMs.max, 50);
    assert.ok(Math.abs((select?.durationMs.p50 ?? 0) / 45 - 1) <= 0.011);
    assert.deepEqual([insert?.["operation"], insert?.["statementText"]], ["INSERT orders", null]);
    assert.deepEqual([cacheGet?.["category"], cacheGet?.["share"]], ["cache", 1]);
    const cache = await get<{ operations: Operation[] }>(`apps/shop/operations?${MINUTE}&category=cache`);
    assert.equal(cache.body.operations.length, 1);
    const action = encodeURIComponent("GET /");
    const one = await get<{ operations: Operation[] }>(`apps/shop/operations?${MINUTE}&action=${action}`);
    assert.deepEqual(
      one.body.operations.map(({ calls }) => calls),
      [10],
    );
  });

  test("counters: added up over hosts by name and step, 0 where the app reported, null where it did not", async () => {
    const { body } = await get<Record<string, unknown>>(
      `apps/shop/counters?from=${FROM}&to=${FROM + 40_000}`,
    );
    assert.deepEqual(body, {
      app: "shop",
      from: FROM,
      to: FROM + 40_000,
      t0: FROM,
      stepMs: 10_000,
      counters: [
        { name: "cache misses", total: 0.5, values: [0.5, 0, 0, null] },
        { name: "mails", total: 11, values: [6, 5, 0, null] },
      ],
    });
  });

  test("errors: grouped, with the newest sample", async () => {
    const { body } = await get<{ errors: unknown[] }>(`apps/shop/errors?${MINUTE}`);
    assert.deepEqual(body.errors, [
      {
        group: "00000000000000e1",
        action: "POST /pay",
        type: "TypeError",
        message: "no card 2",
        stack: "at pay",
        count: 12,
        firstUnixMs: FROM,
        lastUnixMs: FROM + 10_000,
        firstEverUnixMs: FROM,
        isNew: true,
        traceId: "a".repeat(32),
        sparkline: { t0: FROM, stepMs: 10_000, counts: [4, 8, 0, 0, 0, 0] },
      },
      {
        group: "00000000000000e2",
        action: "GET /",
        type: "RangeError",
        message: "",
        stack: "",
        count: 1,
        firstUnixMs: FROM,
        lastUnixMs: FROM,
        firstEverUnixMs: FROM,
        isNew: true,
        traceId: null,
        sparkline: { t0: FROM, stepMs: 10_000, counts: [1, 0, 0, 0, 0, 0] },
      },
    ]);
  });

  test("hosts: newest identity, apps and newest values", async () => {
    const { body } = await get<{ hosts: Record<string, unknown>[] }>(`hosts?${MINUTE}`);
    const [first, second] = body.hosts;
    assert.deepEqual(first, {
      host: "web-1",
      id: "4d5e6f",
      os: "Debian GNU/Linux 12",
      kernel: "6.1.1",
      arch: "x64",
      cpuModel: "a processor",
      cores: 4,
      memTotalBytes: 8_000_000_000,
      virtualization: "kvm",
      bootUnixMs: 1_795_000_000_000,
      daemonVersion: "0.1.0",
      lastSeenUnixMs: FROM + 30_000,
      apps: ["shop"],
      cpuRatio: 0.75,
      memUsedRatio: 0.5,
      load1: 3,
      stealRatio: null,
      iowaitRatio: null,
      psiCpuRatio: null,
      psiMemoryRatio: null,
      psiIoRatio: null,
      eventLoopDelayMs: 1.5,
    });
    assert.deepEqual(
      [second?.["host"], second?.["apps"], second?.["cpuRatio"]],
      ["web-2", ["idle", "shop"], null],
    );
  });

  test("host series: averages per step, sums of OOM kills, null where nothing arrived", async () => {
    const { body } = await get<{ t0: number; stepMs: number; cols: Columns }>(
      `hosts/web-1/series?from=${FROM - 10_000}&to=${FROM + 20_000}&stepMs=10000&metrics=load1,oomKills,psiIoFullRatio`,
    );
    assert.deepEqual(body, {
      host: "web-1",
      from: FROM - 10_000,
      to: FROM + 20_000,
      t0: FROM - 10_000,
      stepMs: 10_000,
      cols: { load1: [null, 2, null], oomKills: [null, 5, null], psiIoFullRatio: [null, null, null] },
      completeness: { created: 3, stored: 3, dropped: {}, inFlight: 0, ratio: 1 },
      completenessRatios: [null, 1, null],
    });
    const seconds = await get<{ stepMs: number; cols: Columns }>(
      `hosts/web-1/series?from=${FROM}&to=${FROM + 10_000}&metrics=load1`,
    );
    assert.equal(seconds.body.stepMs, 1_000);
    assert.deepEqual(seconds.body.cols["load1"], [1, 2, 3, ...Array.from({ length: 7 }, () => null)]);
    const all = await get<{ cols: Columns }>(`hosts/web-1/series?${MINUTE}`);
    assert.deepEqual(
      Object.keys(all.body.cols),
      HOST_METRICS.map(({ name }) => name),
    );
  });

  test("snapshot: the newest one in the range", async () => {
    const { body } = await get<Record<string, unknown>>(`hosts/web-1/snapshot?${MINUTE}`);
    assert.deepEqual(body, {
      host: "web-1",
      tsMs: FROM + 10_000,
      coreBusyRatios: [0.5],
      disks: [],
      interfaces: [],
      filesystems: [{ mount: "/", type: "ext4", sizeBytes: 9, usedBytes: 4, availableBytes: 5 }],
      topProcesses: [],
    });
    assert.equal((await get(`hosts/web-1/snapshot?from=1&to=2`)).status, 404);
  });

  test("processes: newest values beside what the agent said", async () => {
    const { body } = await get<{ processes: unknown[] }>(`hosts/web-1/processes?${MINUTE}`);
    assert.deepEqual(body.processes, [
      {
        app: "shop",
        instance: "i1",
        pid: 42,
        runtime: "node 20.20.2",
        agentVersion: "0.1.0",
        startUnixMs: FROM - 5_000,
        appVersion: "1.4.2",
        containerId: "",
        systemdUnit: "shop.service",
        cpuRatio: 0.25,
        rssBytes: 200,
        eventLoopDelayP99Ms: 1.5,
        lastSeenUnixMs: FROM + 20_000,
      },
    ]);
  });

  test("server: what it holds", async () => {
    const { body } = await get<{ store: { bytes: number } } & Record<string, unknown>>("server");
    const { store, jobs, ...rest } = body;
    const ran = jobs as { job: string; error: string | null }[];
    assert.deepEqual(
      ran.map(({ job, error }) => [job, error]),
      [
        ["minutes", null],
        ["hours", null],
        ["days", null],
        ["retention", null],
      ],
    );
    assert.deepEqual(rest, {
      version: "0.1.0-test",
      nowUnixMs: FROM + 30_000,
      hosts: 2,
      apps: 2,
      uplinks: 0,
    });
    assert.ok(store.bytes > 0);
  });

  test("unknown names are not found, and wrong parameters are named", async () => {
    const calls: [string, number, string][] = [
      ["apps/nobody/summary", 404, "nobody"],
      ["apps/nobody/series", 404, "nobody"],
      ["apps/nobody/actions", 404, "nobody"],
      ["apps/nobody/status-codes", 404, "nobody"],
      ["apps/nobody/operations", 404, "nobody"],
      ["apps/nobody/errors", 404, "nobody"],
      ["apps/nobody/counters", 404, "nobody"],
      ["apps/nobody/traces", 404, "nobody"],
      ["hosts/nobody/series", 404, "nobody"],
      ["hosts/nobody/snapshot", 404, "nobody"],
      ["hosts/nobody/processes", 404, "nobody"],
      [`traces/${"0".repeat(32)}`, 404, "000"],
      ["nothing", 404, "nothing"],
      ["traces/xyz", 400, "traceId"],
      ["apps?from=yesterday", 400, "from"],
      ["apps?from=-1", 400, "from"],
      ["apps?from=1.5", 400, "from"],
      ["apps?to=99999999999999", 400, "to"],
      ["apps?from=2&to=1", 400, "from"],
      ["apps?from=1&to=1", 400, "from"],
      ["apps?kind=some", 400, "kind"],
      ["hosts/web-1/series?metrics=load1,nothing", 400, "metrics"],
      ["hosts/web-1/series?metrics=load1%22)%20FROM%20hosts--", 400, "metrics"],
      ["hosts/web-1/series?stepMs=1", 400, "stepMs"],
      ["apps/shop/actions?sort=name", 400, "sort"],
      ["apps/shop/operations?category=web", 400, "category"],
      ["apps/shop/selection?action=x&selectedFrom=1", 400, '"selectedTo" is missing'],
      ["apps/shop/traces?limit=0", 400, "limit"],
      ["apps/shop/traces?limit=501", 400, '"limit" is wrong: must be a whole number from 1 to 500'],
      ["apps/shop/traces?error=1", 400, "error"],
      ["apps/shop/traces?sort=fast", 400, "sort"],
      [`apps/shop/series?action=${"x".repeat(1_025)}`, 400, '"action" is wrong: must be a name of 1 to 1024'],
    ];
    for (const [call, status, word] of calls) {
      const answer = await get<{ error: { code: string; message: string } }>(call);
      assert.equal(answer.status, status, call);
      assert.equal(answer.body.error.code, status === 404 ? "NOT_FOUND" : "BAD_PARAMETER", call);
      assert.ok(answer.body.error.message.includes(word), `${call}: ${answer.body.error.message}`);
    }
  });

  test("every answer is JSON that no cache keeps; only GET is answered", async () => {
    for (const call of ["apps", "apps/nobody/summary", "apps?from=x", "nothing"]) {
      const { headers } = await get(call);
      assert.equal(headers.get("content-type"), "application/json; charset=utf-8", call);
      assert.equal(headers.get("cache-control"), "no-store", call);
      assert.equal(headers.get("x-content-type-options"), "nosniff", call);
      assert.match(headers.get("content-security-policy") ?? "", /^default-src 'none';/, call);
    }
    for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
      const response = await fetch(`${collector.url}/api/v1/apps`, { method });
      assert.equal(response.status, 405, method);
    }
    assert.equal((await fetch(`${collector.url}/api/v1/apps`, { method: "HEAD" })).status, 200);
  });

  test("health: a real write and read", async () => {
    const response = await fetch(`${collector.url}/healthz`);
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), { status: "ok", version: "0.1.0-test", store: { ok: true } });
  });
});
