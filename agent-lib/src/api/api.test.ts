import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import { trace } from "@opentelemetry/api";
import { action, ignore, metrics, setUser, start, status, stop } from "../index.ts";
import { DaemonPeer, type ReceivedSpan, until } from "../test-support/daemon-peer.ts";
import { WebServer } from "../test-support/web-server.ts";

const peer = new DaemonPeer();
const early = metrics.counter("before the start");
early.add(2);
let web: WebServer;

before(async () => {
  await peer.listen();
  start({ socket: peer.path, appName: "jobs", userSalt: "pepper", log: false });
  web = await new WebServer((request, response) => {
    void answer(request.url ?? "").then((text) => response.end(text));
  }).listen();
});

after(async () => {
  await web.close();
  stop();
  await peer.close();
});

/** Ends spans of this name once all before them have arrived. */
async function flushed(): Promise<void> {
  const name = `flush ${peer.spans.length}`;
  trace.getTracer("test").startSpan(name).end();
  await until(() => peer.named(name).length === 1, "the last span arrives");
}

async function one(name: string): Promise<ReceivedSpan> {
  await until(() => peer.named(name).length > 0, `${name} arrives`);
  const [span, ...more] = peer.named(name);
  assert.deepEqual(more, []);
  return span as ReceivedSpan;
}

async function answer(path: string): Promise<string> {
  if (path === "/health") {
    trace.getTracer("test").startSpan("ended before").end();
    setUser("alice");
    ignore();
    trace.getTracer("test").startSpan("ended after").end();
    await action("action in an ignored request", async () => undefined);
  } else if (path === "/me") {
    await new Promise((resolve) => setTimeout(resolve, 1));
    setUser("alice");
  } else if (path === "/part") await action("part of a request", () => Promise.resolve());
  else if (path === "/leaves-a-timer") setTimeout(() => action("after the request", () => undefined), 50);
  return "ok";
}

test("an action is a root span; its result is the work's, whether at once or promised", async () => {
  assert.equal(
    action("at once", () => 7),
    7,
  );
  const promised: Promise<number> = action("promised", async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return 8;
  });
  assert.equal(await promised, 8);
  for (const [name, atLeastMs] of [
    ["at once", 0],
    ["promised", 15],
  ] as const) {
    const span = await one(name);
    assert.deepEqual([span.kind, span.isLocalRoot, span.parentId, span.hasError], [0, true, "", false]);
    assert.ok(span.durationMs >= atLeastMs);
  }
});

test("spans of the work, and actions within it, are its children", async () => {
  await action("outer", async () => {
    await new Promise((resolve) => setImmediate(resolve));
    await action("inner", async () => {
      await new Promise((resolve) => setImmediate(resolve));
      trace.getTracer("test").startSpan("innermost").end();
    });
  });
  const [outer, inner, innermost] = [await one("outer"), await one("inner"), await one("innermost")];
  assert.deepEqual([inner.parentId, innermost.parentId], [outer.spanId, inner.spanId]);
  assert.equal(inner.isLocalRoot, false);
  assert.equal(innermost.traceId, outer.traceId);
});

test("what the work throws is the caller's, and recorded", async () => {
  const error = new RangeError("no carts");
  assert.throws(
    () =>
      action("throws", () => {
        throw error;
      }),
    (thrown) => thrown === error,
  );
  await assert.rejects(
    action("rejects", () => Promise.reject(error)),
    (thrown) => thrown === error,
  );
  for (const name of ["throws", "rejects"]) {
    const span = await one(name);
    assert.equal(span.hasError, true);
    assert.equal(span.attributes["error.type"], "RangeError");
    assert.equal(span.extra.events?.length, 1);
    assert.equal(span.extra.events?.[0]?.attributes["exception.message"], "no carts");
  }
});

test("a thenable that works when it is awaited works once, within the action", async () => {
  let runs = 0;
  const lazy = {
    // oxlint-disable-next-line unicorn/no-thenable -- query builders are such objects
    then: (resolve: (value: string) => void): void => {
      runs++;
      trace.getTracer("test").startSpan("lazy work").end();
      resolve("rows");
    },
  } as PromiseLike<string>;
  assert.equal(await action("lazy", () => lazy), "rows");
  assert.equal(runs, 1);
  assert.equal((await one("lazy work")).parentId, (await one("lazy")).spanId);
});

test("within a request an action is a part of it; what a timer starts after the request is none", async () => {
  await web.call("/part");
  await web.call("/leaves-a-timer");
  const [part, later] = [await one("part of a request"), await one("after the request")];
  assert.equal(part.isLocalRoot, false);
  assert.deepEqual([later.isLocalRoot, later.parentId], [true, ""]);
});

test("an action for a message continues the sender's trace, also where another context is active", async () => {
  const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  action("poll", () => action("orders process", () => undefined, { traceparent }));
  action("bad header", () => undefined, { traceparent: "nonsense" });
  const span = await one("orders process");
  assert.deepEqual(
    [span.kind, span.isLocalRoot, span.hasRemoteParent, span.traceId, span.parentId],
    [4, true, true, "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"],
  );
  assert.equal((await one("bad header")).parentId, "");
});

test("of an ignored request the bare entry alone goes out, and nothing counts as lost", async () => {
  const created = status()?.spansCreated ?? 0;
  await web.call("/health");
  await flushed();
  const before = await one("ended before");
  const entry = peer.spans.find(({ spanId }) => spanId === before.parentId);
  assert.deepEqual(entry?.attributes, { "apm.ignored": true });
  assert.equal(entry?.isLocalRoot, true);
  for (const name of ["ended after", "action in an ignored request"]) assert.deepEqual(peer.named(name), []);
  // The client's span, the one that ended before, the entry, and the flush.
  assert.equal((status()?.spansCreated ?? 0) - created, 4);
  assert.equal(peer.dropped, 0);
});

test("the user is a pseudonym on the entry span; the id itself goes nowhere", async () => {
  await web.call("/me");
  await flushed();
  const entry = peer.spans.find(({ attributes }) => "enduser.pseudo.id" in attributes);
  const key = createHash("sha256").update("apm-daemon user\0pepper\0jobs").digest();
  const expected = createHmac("sha256", key).update("alice").digest("hex").slice(0, 16);
  assert.equal(entry?.attributes["enduser.pseudo.id"], expected);
  assert.equal(entry?.isLocalRoot, true);
  assert.equal(Buffer.concat(peer.received).includes("alice"), false);
  // Outside of a request there is nobody to say it of.
  setUser("bob");
  ignore();
});

test("counters arrive added up, those from before the start too, each amount once", async () => {
  const mails = metrics.counter("mails");
  assert.equal(metrics.counter("mails"), mails);
  mails.add();
  metrics.counter("mails").add(2.5);
  for (const nothing of [-1, Number.NaN, Number.POSITIVE_INFINITY, 0]) mails.add(nothing);
  const sum = (name: string): number =>
    peer.runtime.reduce((total, { counters }) => total + (counters?.[name] ?? 0), 0);
  await until(() => sum("mails") > 0, "a frame with counters arrives");
  assert.deepEqual([sum("mails"), sum("before the start")], [3.5, 2]);
  mails.add(4);
  await until(() => sum("mails") > 3.5, "another one arrives");
  assert.equal(sum("mails"), 7.5);
  assert.equal(sum("before the start"), 2);
});

test("the last counts go out before the goodbye; without an agent the API works all the same", async () => {
  metrics.counter("last").add();
  stop();
  await until(() => peer.byes.length === 1, "the goodbye arrives");
  assert.equal(peer.runtime.at(-1)?.counters?.["last"], 1);
  const spans = peer.spans.length;
  assert.equal(
    action("idle", () => 1),
    1,
  );
  await assert.rejects(
    action("idle", () => Promise.reject(new Error("mine"))),
    /mine/,
  );
  ignore();
  setUser(5);
  assert.equal(peer.spans.length, spans);
});
