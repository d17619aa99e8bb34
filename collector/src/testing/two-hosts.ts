import type { BatchHeader } from "@apm-daemon/protocol";
import {
  histogramOf,
  SEALED_MS,
  sampleHeader,
  sampleHost,
  sampleRequests,
  WINDOW_SEC,
} from "./sample-batch.ts";

const FROM = WINDOW_SEC * 1000;

/** 1,000 requests of 1 to 1,000 ms. */
export const SPREAD_US: readonly number[] = Array.from({ length: 1_000 }, (_, i) => (i + 1) * 1_000);

/** Two hosts, two windows; the second host's rows come as late parts of the same windows. */
export function twoHosts(): BatchHeader[] {
  const items = sampleRequests(SPREAD_US, {
    action: "GET /items/:id",
    codeUs: 380_000_000,
    databaseUs: 100_000_000,
    cacheUs: 20_000_000,
    externalUs: 500_000,
    queueUs: 3_000_000,
  });
  const home = sampleRequests(Array.from({ length: 10 }, () => 5_000));
  const pay = sampleRequests(
    Array.from({ length: 4 }, () => 8_333),
    { action: "POST /pay", status: 503, tsSec: WINDOW_SEC + 10, sumUs: 33_333, codeUs: 33_333 },
  );
  const paid = { ...pay, sumUs: 33_334, codeUs: 33_334 };
  const select = {
    tsSec: WINDOW_SEC,
    app: "shop",
    action: "GET /items/:id",
    category: "database" as const,
    system: "postgresql",
    target: "db:5432",
    operation: "SELECT items",
    statement: "00000000000000aa",
    calls: 2_000,
    errors: 1,
    sumUs: 90_000_000,
    maxUs: 45_000,
    histogram: histogramOf(Array.from({ length: 2_000 }, () => 45_000)),
  };
  const apps = [
    {
      app: "shop",
      apdexTMs: 500,
      instances: [
        {
          instance: "i1",
          pid: 42,
          runtime: "node 20.20.2",
          agentVersion: "0.1.0",
          startUnixMs: FROM - 5_000,
          appVersion: "1.4.2",
          systemdUnit: "shop.service",
        },
      ],
    },
  ];
  const error = {
    tsSec: WINDOW_SEC,
    app: "shop",
    action: "POST /pay",
    group: "00000000000000e1",
    type: "TypeError",
    message: "no card 1",
    stack: "at pay",
    count: 4,
    traceId: "a".repeat(32),
  };
  const counted = { tsSec: WINDOW_SEC, app: "shop", name: "mails", amount: 3 };
  const snapshot = {
    tsSec: WINDOW_SEC,
    coreBusyRatios: [0.1],
    disks: [],
    interfaces: [],
    filesystems: [{ mount: "/", type: "ext4", sizeBytes: 9, usedBytes: 4, availableBytes: 5 }],
    topProcesses: [],
  };
  const web1 = sampleHeader({
    apps,
    actions: [
      items,
      home,
      sampleRequests([1, 2, 3, 4, 5, 6, 7], { action: "nightly", kind: "background", status: 0 }),
    ],
    operations: [
      select,
      {
        ...select,
        action: "GET /",
        calls: 10,
        errors: 0,
        sumUs: 500_000,
        maxUs: 50_000,
        histogram: histogramOf(Array.from({ length: 10 }, () => 50_000)),
      },
      { ...select, operation: "INSERT orders", statement: "00000000000000ab", calls: 100, sumUs: 10_000_000 },
      {
        ...select,
        category: "cache",
        system: "redis",
        target: "cache:6379",
        operation: "GET",
        statement: "",
        calls: 500,
        sumUs: 20_000_000,
      },
    ],
    statements: [
      {
        fingerprint: "00000000000000aa",
        app: "shop",
        system: "postgresql",
        text: "select * from items where id = ?",
      },
    ],
    slowStatements: [
      {
        endUnixMs: WINDOW_SEC * 1_000,
        app: "shop",
        action: "GET /items/:id",
        system: "postgresql",
        target: "db:5432",
        operation: "SELECT items",
        statement: "00000000000000aa",
        text: "select * from items where id = ?",
        durationUs: 900_500,
        error: false,
        traceId: "ab".repeat(16),
        stack: "    at items (app.js:1:1)",
      },
    ],
    errors: [
      error,
      {
        ...error,
        group: "00000000000000e2",
        action: "GET /",
        type: "RangeError",
        message: "",
        stack: "",
        count: 1,
        traceId: "",
      },
    ],
    counters: [counted, { ...counted, name: "cache misses", amount: 0.5 }],
    hostSeconds: {
      tsSec: [WINDOW_SEC, WINDOW_SEC + 1, WINDOW_SEC + 2],
      columns: {
        load1: [1, 2, 3],
        oomKills: [2, 3, 0],
        cpuIdleRatio: [0.5, 0.5, 0.25],
        memUsedBytes: [1, 1, 4_000_000_000],
        memTotalBytes: [8_000_000_000, 8_000_000_000, 8_000_000_000],
        psiIoFullRatio: [null, null, null],
      },
    },
    hostSnapshot: snapshot,
    processSeconds: [
      {
        app: "shop",
        instance: "i1",
        pid: 42,
        tsSec: [WINDOW_SEC, WINDOW_SEC + 1],
        columns: { cpuRatio: [0.5, 0.25], rssBytes: [100, 200], eventLoopDelayP99Ms: [1.5, null] },
      },
    ],
  });
  const web1Next = sampleHeader({
    createdUnixMs: SEALED_MS + 10_000,
    apps,
    host: sampleHost({ kernel: "6.1.1" }),
    actions: [pay],
    errors: [{ ...error, tsSec: WINDOW_SEC + 10, message: "no card 2", count: 8 }],
    hostSnapshot: { ...snapshot, tsSec: WINDOW_SEC + 10, coreBusyRatios: [0.5] },
  });
  web1.createdUnixMs = SEALED_MS;
  const web2 = sampleHeader({
    createdUnixMs: SEALED_MS + 10_000,
    host: sampleHost({ name: "web-2", id: "other" }),
    apps: [
      { app: "shop", apdexTMs: 500, instances: [] },
      { app: "idle", apdexTMs: 250, instances: [] },
    ],
    actions: [home, pay, paid],
    counters: [counted, { ...counted, tsSec: WINDOW_SEC + 10, amount: 5 }, { ...counted, app: "idle" }],
  });
  // The app reports a third window in which nothing was asked of it.
  const web2Idle = sampleHeader({
    createdUnixMs: SEALED_MS + 20_000,
    host: sampleHost({ name: "web-2", id: "other" }),
    apps: [{ app: "shop", apdexTMs: 500, instances: [] }],
  });
  return [web1, web1Next, web2, web2Idle];
}
