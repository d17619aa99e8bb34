import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { AppEvent } from "@apm-daemon/protocol";
import { HandUplink } from "../testing/hand-uplink.ts";
import { RunningCollector } from "../testing/running-collector.ts";
import { SEALED_MS, sampleHeader } from "../testing/sample-batch.ts";

const id = (digit: string): string => digit.repeat(32);

function sampleEvent(changes: Partial<AppEvent> = {}): AppEvent {
  return {
    id: id("1"),
    tsMs: SEALED_MS,
    app: "shop",
    instance: "i1",
    pid: 42,
    runtime: "node 20",
    startUnixMs: SEALED_MS - 1_000,
    kind: "crash",
    title: "killed or crashed",
    exitCode: null,
    error: { type: "E", message: "<b>m</b>", stack: "" },
    evidence: {
      connection: "closed",
      signal: 9,
      exitStatus: null,
      cgroup: "/a",
      cgroupVersion: 2,
      cgroupProcesses: 1,
      oomKills: 0,
      hostOomKills: 0,
      countersUnixMs: 1,
      memoryLimitBytes: 1,
      memoryUsedBytes: 1,
      memoryLimitHits: 0,
      rssBytes: 1,
      rssUnixMs: 1,
      notBeforeUnixMs: 1,
      notAfterUnixMs: 2,
    },
    inFlight: [{ action: "GET /", traceId: id("a"), ageMs: 1_500 }],
    inFlightUnixMs: 1,
    lastCalls: [
      {
        endUnixMs: 1,
        durationUs: 2,
        category: "database",
        system: "postgresql",
        name: "SELECT",
        target: "db",
        statement: "SELECT 1",
        error: false,
        traceId: id("a"),
      },
    ],
    curve: { tsSec: [1], rssBytes: [1], cpuRatio: [null], heapUsedBytes: [1], eventLoopDelayP99Ms: [1] },
    crashWindowMs: 100,
    spansLostAtLeast: 3,
    ...changes,
  };
}

describe("events of an app", () => {
  let collector: RunningCollector;
  let uplink: HandUplink;

  before(async () => {
    collector = await RunningCollector.start();
    uplink = await collector.uplink();
  });
  after(async () => {
    await uplink.close();
    await collector.stop();
  });

  const deliver = async (events: unknown[]): Promise<string> =>
    (await uplink.deliver(sampleHeader({ events: events as AppEvent[] }))).type;
  const range = `from=${SEALED_MS - 60_000}&to=${SEALED_MS + 60_000}`;

  test("come back as they were, newest first, each once, by app", async () => {
    const first = sampleEvent();
    const second = sampleEvent({ id: id("2"), tsMs: SEALED_MS + 1, kind: "exit", exitCode: 1 });
    const other = sampleEvent({ id: id("3"), app: "other" });
    assert.equal(await deliver([first, second, other]), "ack");
    assert.equal(await deliver([first]), "ack", "a daemon that could not note what it sent");
    const { body } = await collector.get<{ events: Record<string, unknown>[] }>(`apps/shop/events?${range}`);
    const { tsMs, app: _app, ...rest } = first;
    assert.equal(body.events.length, 2);
    assert.equal(body.events[0]?.["id"], second.id);
    assert.deepEqual(body.events[1], { ...rest, host: "web-1", unixMs: tsMs });
    const limited = await collector.get<{ events: unknown[] }>(`apps/shop/events?${range}&limit=1`);
    assert.equal(limited.body.events.length, 1);
  });

  test("a wrong limit and an unknown app are named", async () => {
    assert.equal((await collector.get("apps/shop/events?limit=101")).status, 400);
    assert.equal((await collector.get("apps/nobody/events")).status, 404);
  });

  for (const [what, event] of [
    ["an id that is none", sampleEvent({ id: "x" })],
    ["an unknown kind", sampleEvent({ kind: "party" as "crash" })],
    ["columns of different lengths", sampleEvent({ curve: { ...sampleEvent().curve, rssBytes: [] } })],
    ["texts without bounds", sampleEvent({ title: "t".repeat(10_000) })],
    [
      "lists without bounds",
      sampleEvent({
        inFlight: Array.from({ length: 300 }, () => sampleEvent().inFlight[0]) as AppEvent["inFlight"],
      }),
    ],
    ["no event at all", null],
  ] as const)
    test(`${what}: the batch is refused for good`, async () => {
      const answer = await uplink.deliver(sampleHeader({ events: [event as AppEvent] }));
      assert.equal(answer.type, "nack");
      assert.equal((answer as { permanent?: boolean }).permanent, true);
    });

  test("a batch of an older daemon has none", async () => {
    const { events: _events, ...header } = sampleHeader();
    assert.equal((await uplink.deliver(header)).type, "ack");
  });
});
