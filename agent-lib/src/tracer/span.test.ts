import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { MAX_ATTRIBUTE_CHARS, MAX_ATTRIBUTES_PER_SPAN, MAX_EVENTS_PER_SPAN } from "@apm-daemon/protocol";
import { createContextKey, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { DaemonPeer, type ReceivedSpan, until } from "../test-support/daemon-peer.ts";
import { LinkedTracer } from "../test-support/linked-tracer.ts";
import { ApmSpan } from "./span.ts";

let peer: DaemonPeer;
let agent: LinkedTracer;

beforeEach(async () => {
  peer = await new DaemonPeer().listen();
  agent = new LinkedTracer(peer.path);
  agent.link.start();
});

afterEach(async () => {
  agent.stop();
  await peer.close();
});

async function received(name: string): Promise<ReceivedSpan> {
  agent.buffer.flush();
  await until(() => peer.named(name).length > 0, `span ${name} arrives`);
  return peer.named(name)[0] as ReceivedSpan;
}

test("attributes of every type arrive as they were set", async () => {
  const span = agent.tracer.startSpan("types", { kind: SpanKind.PRODUCER });
  span.setAttributes({
    text: "é",
    int: -7,
    big: 2 ** 40,
    float: 0.5,
    yes: true,
    list: ["a", 1, null, false],
  });
  span.setAttribute("later", "x").end();
  const { attributes, kind } = await received("types");
  assert.equal(kind, 3);
  assert.deepEqual(attributes, {
    text: "é",
    int: -7,
    big: 2 ** 40,
    float: 0.5,
    yes: true,
    list: ["a", 1, null, false],
    later: "x",
  });
});

test("the last value of a key counts, also when its type changes", async () => {
  const span = agent.tracer.startSpan("overwritten", { attributes: { a: 1, b: "x", c: true } });
  span.setAttribute("a", "one").setAttribute("b", "y").setAttribute("b", "z").end();
  assert.deepEqual((await received("overwritten")).attributes, { a: "one", b: "z", c: true });
});

test("spans of one path of keys share a shape, and integers and fractions mix in a slot of fractions", async () => {
  for (const value of [0.5, 3, "text"]) agent.tracer.startSpan("mixed").setAttribute("n", value).end();
  await received("mixed");
  assert.deepEqual(
    peer.named("mixed").map((span) => span.attributes["n"]),
    [0.5, 3, "text"],
  );
});

test("values that are no attributes are left out and harm nothing", async () => {
  const span = agent.tracer.startSpan("odd");
  for (const value of [undefined, null, Number.NaN, Infinity, {}, () => 1, Symbol("s"), 10n])
    span.setAttribute("odd", value);
  span
    .setAttribute("", "no key")
    .setAttribute(7 as unknown as string, "no text")
    .setAttribute("ok", 1)
    .end();
  assert.deepEqual((await received("odd")).attributes, { ok: 1 });
});

test("long texts end in an ellipsis, and attributes beyond the limit are counted", async () => {
  const span = agent.tracer.startSpan("limits");
  span
    .setAttribute("fits", "x".repeat(MAX_ATTRIBUTE_CHARS))
    .setAttribute("long", "y".repeat(MAX_ATTRIBUTE_CHARS + 1));
  for (let i = 0; i < MAX_ATTRIBUTES_PER_SPAN; i++) span.setAttribute(`k${i}`, i);
  span.end();
  const { attributes, extra } = await received("limits");
  assert.equal(Object.keys(attributes).length, MAX_ATTRIBUTES_PER_SPAN);
  assert.equal(extra.droppedAttributes, 2);
  assert.equal(attributes["fits"], "x".repeat(MAX_ATTRIBUTE_CHARS));
  assert.equal(attributes["long"], `${"y".repeat(MAX_ATTRIBUTE_CHARS - 1)}…`);
});

test("secrets are redacted, URLs lose query and user info, statements their values", async () => {
  const span = agent.tracer.startSpan("secrets");
  span.setAttributes({
    "user.password": "canary",
    "X-Auth-Token": "canary",
    sessionId: "canary",
    "http.url": "https://u:canary@h:8443/p?q=canary#canary",
    "http.target": "/p?canary",
    "url.query": "canary",
    "db.statement": "SELECT 'canary'",
    "db.query.parameter.0": "canary",
    "http.method": "GET",
  });
  span.addEvent("login", { password: "canary" });
  span.end();
  const { attributes, extra } = await received("secrets");
  assert.deepEqual(attributes, {
    "user.password": "[redacted]",
    "X-Auth-Token": "[redacted]",
    sessionId: "[redacted]",
    "url.full": "https://h:8443/p",
    "url.path": "/p",
    "db.query.text": "SELECT ?",
    "db.query.parameter.0": "[redacted]",
    "http.request.method": "GET",
  });
  assert.deepEqual(extra.events?.[0]?.attributes, { password: "[redacted]" });
  // The second span takes the fast path: it must not slip by.
  agent.tracer.startSpan("again").setAttribute("user.password", "canary").end();
  await received("again");
  assert.equal(Buffer.concat(peer.received).includes("canary"), false);
});

test("an exception is an event with bounded stack; a status makes an error", async () => {
  const span = agent.tracer.startSpan("failed");
  const error = new TypeError("no user");
  error.stack = `TypeError: no user\n${"    at f (file.js:1:1)\n".repeat(500)}`;
  span.recordException(error);
  for (let i = 0; i < 100; i++) span.addEvent(`e${i}`);
  span.setStatus({ code: SpanStatusCode.ERROR, message: "it failed" }).end();
  const { hasError, extra } = await received("failed");
  assert.equal(hasError, true);
  assert.equal(extra.statusMessage, "it failed");
  assert.equal(extra.events?.length, MAX_EVENTS_PER_SPAN);
  const attributes = extra.events?.[0]?.attributes ?? {};
  assert.equal(attributes["exception.type"], "TypeError");
  assert.equal(attributes["exception.message"], "no user");
  assert.equal(String(attributes["exception.stacktrace"]).split("\n").length, 50);
});

test("a call to a database shows no value by its name, its errors, or what wraps them", async () => {
  const text = "SELECT 'CANARY'";
  const attributes = { "db.system": "postgresql", "db.statement": text };
  const span = agent.tracer.startSpan(text, { attributes });
  const error = new Error('invalid input: "CANARY"');
  span.recordException(error);
  span.setStatus({ code: SpanStatusCode.ERROR, message: "key 'CANARY' exists" }).end();
  const wrapper = new Error('Failed query: select "a" where b = $1\nparams: CANARY', { cause: error });
  const drivers = Object.assign(new Error("Duplicate entry 'CANARY'"), { sqlState: "23000" });
  const ownFrame = new Error("\n    at CANARY");
  const request = agent.tracer.startSpan("request");
  for (const thrown of [error, wrapper, drivers, ownFrame]) request.recordException(thrown);
  request.end();
  const { extra } = await received("SELECT");
  assert.equal(extra.statusMessage, "key ? exists");
  const messages = (await received("request")).extra.events?.map(
    (event) => event.attributes["exception.message"],
  );
  assert.deepEqual(messages?.slice(0, 3), [
    "invalid input: ?",
    "Failed query: select ? where b = $?",
    "Duplicate entry ?",
  ]);
  const stacks = (await received("request")).extra.events?.map(
    (event) => event.attributes["exception.stacktrace"],
  );
  assert.ok(stacks?.every((stack) => !String(stack).includes("CANARY")));
});

test("messages lose user info and query of the URLs in them", async () => {
  const message =
    "https://u:CANARY@h:8443/p?q=CANARY refused; see http://h/#CANARY, 'x://CANARY@y/z?CANARY'.";
  const span = agent.tracer.startSpan("called");
  for (const thrown of [new Error(message), message]) span.recordException(thrown);
  span.addEvent("exception", { "exception.message": message });
  span.setStatus({ code: SpanStatusCode.ERROR, message }).end();
  const { extra } = await received("called");
  const stripped = "https://h:8443/p refused; see http://h/ 'x://y/z'.";
  assert.equal(extra.statusMessage, stripped);
  assert.deepEqual(
    extra.events?.map((event) => event.attributes["exception.message"]),
    [stripped, stripped, stripped],
  );
  const startMs = performance.now();
  span.recordException(new Error("a-".repeat(100_000) + "://" + "a://?".repeat(100_000)));
  assert.ok(performance.now() - startMs < 1_000);
});

test("a later OK takes an error back", async () => {
  const span = agent.tracer.startSpan("recovered").setStatus({ code: SpanStatusCode.ERROR });
  span.setStatus({ code: SpanStatusCode.OK }).end();
  assert.equal((await received("recovered")).hasError, false);
});

test("hostile exceptions harm nothing", async () => {
  const span = agent.tracer.startSpan("hostile");
  const trap = new Proxy(
    {},
    {
      get: () => {
        throw new Error("trap");
      },
    },
  );
  for (const thrown of [trap, null, undefined, 5, { message: 7 }, Object.create(null)])
    span.recordException(thrown as Error);
  span.end();
  assert.equal((await received("hostile")).extra.events?.length, 6);
});

test("links arrive, and the name may change until the end", async () => {
  const other = agent.tracer.startSpan("other");
  const span = agent.tracer.startSpan("first name", {
    links: [{ context: other.spanContext(), attributes: { a: 1 } }],
  });
  span.updateName("late name");
  span.end();
  const { traceId, spanId } = other.spanContext();
  assert.deepEqual((await received("late name")).extra.links, [{ traceId, spanId, attributes: { a: 1 } }]);
});

test("nothing changes after the end, and a second end is ignored", async () => {
  const span = agent.tracer.startSpan("ended");
  span.end();
  span.setAttribute("late", 1).updateName("late").setStatus({ code: SpanStatusCode.ERROR }).addEvent("late");
  span.recordException(new Error("late"));
  span.end();
  assert.equal(span.isRecording(), false);
  const { attributes, hasError, extra } = await received("ended");
  assert.deepEqual([attributes, hasError, extra], [{}, false, {}]);
  assert.equal(agent.buffer.created, 1);
});

test("children share their local root's trace and name their parent", async () => {
  agent.tracer.startActiveSpan("root", (root) => {
    agent.tracer.startActiveSpan("middle", (middle) => {
      agent.tracer.startSpan("leaf").end();
      middle.end();
    });
    agent.tracer.startSpan("own root", { root: true }).end();
    root.end();
  });
  const [leaf, middle, root, own] = [
    await received("leaf"),
    await received("middle"),
    await received("root"),
    await received("own root"),
  ];
  assert.equal(leaf.parentId, middle.spanId);
  assert.equal(middle.parentId, root.spanId);
  assert.equal(new Set([leaf.traceId, middle.traceId, root.traceId]).size, 1);
  assert.deepEqual([root.isLocalRoot, middle.isLocalRoot, own.isLocalRoot], [true, false, true]);
  assert.notEqual(own.traceId, root.traceId);
});

test("a span under a remote parent is a local root of that trace", async () => {
  const remote = {
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    traceFlags: 1,
    isRemote: true,
  };
  agent.tracer.startSpan("remote child", {}, trace.setSpanContext(ROOT_CONTEXT, remote)).end();
  const span = await received("remote child");
  assert.deepEqual(
    [span.traceId, span.parentId, span.isLocalRoot, span.hasRemoteParent],
    [remote.traceId, remote.spanId, true, true],
  );
});

test("the span is its context: values set in it are seen by children and not by parents", () => {
  const key = createContextKey("a value");
  const parent = agent.tracer.startSpan("p");
  assert.ok(parent instanceof ApmSpan);
  const inside = trace.setSpan(ROOT_CONTEXT, parent).setValue(key, 1);
  assert.equal(trace.getSpan(inside), parent);
  const child = agent.tracer.startSpan("c", {}, inside);
  assert.ok(child instanceof ApmSpan);
  assert.equal(trace.getSpan(trace.setSpan(inside, child)), child);
  assert.equal(child.getValue(key), 1);
  assert.equal(child.deleteValue(key).getValue(key), undefined);
  assert.equal(parent.getValue(key), undefined);
});

test("nothing is recorded where tracing is suppressed", () => {
  const suppressed = ROOT_CONTEXT.setValue(
    createContextKey("OpenTelemetry SDK Context Key SUPPRESS_TRACING"),
    true,
  );
  const span = agent.tracer.startSpan("quiet", {}, suppressed);
  span.setAttribute("a", 1).end();
  assert.equal(span.isRecording(), false);
  assert.equal(agent.buffer.created, 0);
});

test("explicit times of every form are kept", async () => {
  const startMs = Date.now() - 500;
  agent.tracer.startSpan("epoch", { startTime: startMs }).end(startMs + 300);
  agent.tracer.startSpan("date", { startTime: new Date(startMs) }).end(new Date(startMs + 300));
  const hr = (ms: number): [number, number] => [Math.floor(ms / 1_000), (ms % 1_000) * 1e6];
  agent.tracer.startSpan("hr", { startTime: hr(startMs) }).end(hr(startMs + 300));
  for (const name of ["epoch", "date", "hr"]) {
    const span = await received(name);
    assert.ok(Math.abs(span.durationMs - 300) < 2, `${name} took ${span.durationMs}`);
    assert.ok(Math.abs(span.startUnixMs - startMs) < 5, `${name} began ${span.startUnixMs - startMs} ms off`);
  }
});

test("a span that ends before it began has no negative duration", async () => {
  agent.tracer.startSpan("backwards", { startTime: Date.now() }).end(Date.now() - 400);
  assert.equal((await received("backwards")).durationMs, 0);
});
