import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { LIVE_FEATURE } from "@apm-daemon/protocol";
import { WebSocket } from "ws";
import { HandUplink } from "../testing/hand-uplink.ts";
import { LiveTab as Tab } from "../testing/live-tab.ts";
import { RunningCollector } from "../testing/running-collector.ts";
import { SEALED_MS, sampleHeader, sampleHost, sampleRequests, WINDOW_SEC } from "../testing/sample-batch.ts";
import type { LiveAnswer } from "./live-polls.ts";

const second = (tsSec: number, changes: object = {}): string =>
  JSON.stringify({
    type: "second",
    tsSec,
    values: { load1: tsSec - WINDOW_SEC, fromTheFuture: 1 },
    apps: [{ app: "shop", requests: 3, errors: 1, sumUs: 6_000 }],
    ...changes,
  });

describe("live seconds", { timeout: 60_000 }, () => {
  let collector: RunningCollector;
  let daemon: HandUplink;

  before(async () => {
    collector = await RunningCollector.start({ clock: () => SEALED_MS });
    daemon = await HandUplink.open(collector.url, collector.key);
    await daemon.hello(randomUUID(), sampleHost(), [LIVE_FEATURE]);
  });
  after(async () => {
    await daemon.close();
    await collector.end();
  });

  test("a daemon is asked while somebody watches, its seconds reach every watcher once, and it is told when the last one leaves", async () => {
    const first = await Tab.open(collector.url, { host: "web-1" });
    assert.deepEqual(await daemon.next(), { type: "watch", forMs: 30_000 });
    assert.deepEqual(await first.has("state"), [
      { type: "state", host: "web-1", state: "live", version: "0.1.0" },
    ]);
    const other = await Tab.open(collector.url, { host: "web-1" });
    await other.has("state");
    daemon.socket.send(second(WINDOW_SEC));
    daemon.socket.send(second(WINDOW_SEC)); // said twice
    daemon.socket.send(second(WINDOW_SEC + 1, { values: { load1: "high" } })); // no second
    daemon.socket.send(second(WINDOW_SEC + 2));
    const expected = [0, 2].map((load1) => ({
      type: "second",
      host: "web-1",
      tsSec: WINDOW_SEC + load1,
      values: { load1 },
    }));
    for (const tab of [first, other]) assert.deepEqual(await tab.has("second", 2), expected);
    await first.close();
    await other.close();
    assert.deepEqual(await daemon.next(), { type: "watch", forMs: 0 });
    const { body } = await collector.get<{ hosts: unknown[] }>("hosts");
    assert.deepEqual(body.hosts, [], "nothing of it is stored");
  });

  test("an app is watched on the hosts that it was seen on, and its tab is told of each stored window", async () => {
    const header = sampleHeader({ actions: [sampleRequests([1_000])] });
    assert.equal((await daemon.deliver(header)).type, "ack");
    const tab = await Tab.open(collector.url, { app: "shop" });
    assert.deepEqual(await daemon.next(), { type: "watch", forMs: 30_000 });
    daemon.socket.send(second(WINDOW_SEC + 3));
    daemon.socket.send(second(WINDOW_SEC + 4, { apps: [] }));
    const of = (tsSec: number, requests: number, errors: number, sumUs: number) => ({
      type: "second",
      host: "web-1",
      tsSec,
      requests,
      errors,
      sumUs,
    });
    assert.deepEqual(await tab.has("second", 2), [
      of(WINDOW_SEC + 3, 3, 1, 6_000),
      of(WINDOW_SEC + 4, 0, 0, 0),
    ]);
    assert.equal(tab.messages.filter(({ type }) => type === "stored").length, 0);
    assert.equal((await daemon.deliver({ ...header, number: 2 })).type, "ack");
    await tab.has("stored");
    const { body } = await collector.get<{ requests: number }>("apps/shop/summary");
    assert.equal(body.requests, 2, "of the batches alone");
    tab.socket.send(JSON.stringify({ watch: null }));
    assert.deepEqual(await daemon.next(), { type: "watch", forMs: 0 });
    await tab.close();
  });

  test("an older daemon is not asked but named, and so is one that is away", async () => {
    const old = await HandUplink.open(collector.url, collector.key);
    await old.hello(randomUUID(), sampleHost({ name: "old-1", daemonVersion: "0.0.9" }));
    const tab = await Tab.open(collector.url, { host: "old-1" });
    assert.deepEqual(await tab.has("state"), [
      { type: "state", host: "old-1", state: "old", version: "0.0.9" },
    ]);
    await old.close();
    assert.equal((await tab.has("state", 2))[1]?.["state"], "offline");
    assert.deepEqual(old.takeReceived(), []);
    // Its successor is asked as soon as it is there.
    const next = await HandUplink.open(collector.url, collector.key);
    const stream = randomUUID();
    const hello = { type: "hello", version: 1, host: sampleHost({ name: "old-1" }), stream, nextNumber: 1 };
    next.socket.send(JSON.stringify({ ...hello, features: [LIVE_FEATURE] }));
    assert.equal((await tab.has("state", 3))[2]?.["state"], "live");
    const said = [await next.next(), await next.next()].map(({ type }) => type);
    assert.deepEqual(said.sort(), ["watch", "welcome"]);
    await tab.close();
    await next.close();
  });

  test("who gets no WebSocket through asks again and again, and the host is watched meanwhile", async () => {
    const poll = async (afterSec: number): Promise<LiveAnswer> =>
      (await collector.get<LiveAnswer>(`hosts/web-1/live?after=${afterSec}`)).body;
    assert.deepEqual(await poll(0), { host: "web-1", state: "live", version: "0.1.0", seconds: [] });
    assert.deepEqual(await daemon.next(), { type: "watch", forMs: 30_000 });
    daemon.socket.send(second(WINDOW_SEC + 10));
    daemon.socket.send(second(WINDOW_SEC + 11));
    let answer = await poll(WINDOW_SEC + 10);
    while (answer.seconds.length === 0) answer = await poll(WINDOW_SEC + 10);
    assert.deepEqual(answer.seconds, [{ tsSec: WINDOW_SEC + 11, values: { load1: 11 } }]);
    assert.equal((await collector.get("hosts/web-1/live?after=-1")).status, 400);
    assert.equal((await poll(0)).seconds.length, 2);
  });

  test("pages of other sites, and who is no browser, may not watch; what is no watch ends the connection", async () => {
    const refused = async (headers: Record<string, string>): Promise<number> => {
      const { socket } = new Tab(collector.url, headers);
      const [, response] = (await once(socket, "unexpected-response")) as [unknown, { statusCode: number }];
      socket.on("error", () => undefined);
      socket.terminate();
      return response.statusCode;
    };
    assert.equal(await refused({ origin: "http://evil.example" }), 403);
    assert.equal(await refused({ "sec-fetch-site": "cross-site" }), 403);
    assert.equal(await refused({ host: "evil.example", origin: "http://evil.example" }), 421);
    const nobody = new WebSocket(`${collector.url.replace("http", "ws")}/api/v1/live`);
    const [, response] = (await once(nobody, "unexpected-response")) as [unknown, { statusCode: number }];
    nobody.on("error", () => undefined);
    nobody.terminate();
    assert.equal(response.statusCode, 403);
    for (const text of ["watch", "{}", '{"watch":{"host":""}}', '{"watch":{"host":"a","app":"b"}}']) {
      const tab = await Tab.open(collector.url, null);
      tab.socket.send(text);
      const [code] = (await once(tab.socket, "close")) as [number];
      assert.equal(code, 1008, text);
    }
  });
});
