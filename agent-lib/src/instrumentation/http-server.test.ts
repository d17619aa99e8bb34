import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { connect } from "node:net";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { context, SpanStatusCode, trace } from "@opentelemetry/api";
import { start, stop } from "../index.ts";
import { DaemonPeer, type ReceivedSpan, until } from "../test-support/daemon-peer.ts";
import { WebServer } from "../test-support/web-server.ts";

const peer = new DaemonPeer({
  settings: { sql: "obfuscated", flushIntervalMs: 10, overheadBudgetRatio: 0.03 },
});
let web: WebServer;
let handle: (...args: Parameters<RequestListener>) => unknown;

before(async () => {
  await peer.listen();
  start({ socket: peer.path, log: false });
});

after(async () => {
  stop();
  await peer.close();
});

beforeEach(async () => {
  peer.spans.length = 0;
  web = await new WebServer((request, response) => void handle(request, response)).listen();
});

afterEach(() => web.close());

async function entries(count: number): Promise<ReceivedSpan[]> {
  const found = (): ReceivedSpan[] => peer.spans.filter((span) => span.kind === 1);
  await until(() => found().length === count, `${count} entry spans arrive`);
  return found();
}

const activeId = (): string | undefined => trace.getActiveSpan()?.spanContext().spanId;

test("an entry span says what was asked, of whom, and what came of it", async () => {
  handle = (_request, response) => response.writeHead(201).end("made");
  assert.equal((await web.call("/things?token=canary", { method: "POST", body: "x" })).status, 201);
  const [span] = await entries(1);
  assert.equal(span?.name, "POST (unmatched)");
  assert.equal(span?.hasError, false);
  assert.deepEqual(span?.attributes, {
    "http.request.method": "POST",
    "url.path": "/things",
    "url.scheme": "http",
    "server.address": "127.0.0.1",
    "server.port": web.port,
    "http.response.status_code": 201,
  });
});

test("200 concurrent requests over kept connections never mix", async () => {
  const tracer = trace.getTracer("app");
  handle = async (request, response) => {
    const id = activeId();
    await sleep(Math.random() * 5);
    await tracer.startActiveSpan("work", async (work) => {
      work.setAttribute("path", request.url ?? "");
      await turn();
      tracer
        .startSpan("leaf")
        .setAttribute("path", request.url ?? "")
        .end();
      work.end();
    });
    assert.equal(activeId(), id);
    response.end();
  };
  await Promise.all(Array.from({ length: 200 }, (_, i) => web.call(`/r/${i}`)));
  const roots = await entries(200);
  await until(() => peer.named("leaf").length === 200, "the leaves arrive");
  const byId = new Map(peer.spans.map((span) => [span.spanId, span]));
  for (const leaf of peer.named("leaf")) {
    const work = byId.get(leaf.parentId);
    const root = byId.get(work?.parentId ?? "");
    assert.equal(work?.attributes["path"], leaf.attributes["path"]);
    assert.equal(root?.attributes["url.path"], leaf.attributes["path"]);
    assert.equal(root?.traceId, leaf.traceId);
  }
  assert.equal(new Set(roots.map((root) => root.attributes["url.path"])).size, 200);
});

test("a connection that is kept hands nothing on to its next request", async () => {
  const seen: (string | undefined)[] = [];
  handle = (_request, response) => {
    seen.push(activeId());
    response.end();
  };
  const ports = new Set<number | undefined>();
  web.server.on("request", (request) => ports.add(request.socket.remotePort));
  for (let i = 0; i < 5; i++) await web.call(`/${i}`, { headers: { traceparent: "none" } });
  const roots = await entries(5);
  assert.equal(ports.size, 1);
  assert.equal(new Set(seen).size, 5);
  assert.deepEqual(seen.map(String).sort(), roots.map((root) => root.spanId).sort());
  assert.deepEqual(
    roots.map((root) => [root.parentId, root.isLocalRoot]),
    roots.map(() => ["", true]),
  );
  assert.equal(new Set(roots.map((root) => root.traceId)).size, 5);
});

test("what a server does outside of requests has no active span", async () => {
  const outside: (string | undefined)[] = [];
  handle = (_request, response) => response.end();
  web.server.on("connection", (socket) => socket.on("data", () => outside.push(activeId())));
  await web.call("/a");
  await web.call("/b");
  await entries(2);
  assert.ok(outside.length > 0);
  assert.deepEqual(new Set(outside), new Set([undefined]));
});

test("body events of later packets belong to the request", async () => {
  const seen: (string | undefined)[] = [];
  let id: string | undefined;
  handle = (request, response) => {
    id = activeId();
    request.on("data", () => seen.push(activeId()));
    request.on("end", () => {
      seen.push(activeId());
      response.end();
    });
  };
  const socket = connect(web.port, "127.0.0.1");
  socket.write("POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab");
  await until(() => seen.length === 1, "the first part comes");
  socket.write("cd");
  await until(() => seen.length === 3, "the rest comes");
  assert.deepEqual(seen, [id, id, id]);
  assert.notEqual(id, undefined);
  await entries(1);
  socket.destroy();
});

test("a client that goes away leaves an aborted request without status", async () => {
  let isAsked = false;
  handle = () => {
    isAsked = true;
  };
  const socket = connect(web.port, "127.0.0.1");
  socket.write("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  await until(() => isAsked, "the request arrives");
  socket.destroy();
  const [span] = await entries(1);
  assert.equal(span?.attributes["apm.aborted"], true);
  assert.equal("http.response.status_code" in (span?.attributes ?? {}), false);
});

test("requests sent in one go each get their span", async () => {
  handle = (request, response) => response.end(request.url);
  const socket = connect(web.port, "127.0.0.1");
  socket.write(
    "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n",
  );
  const spans = await entries(3);
  assert.deepEqual(new Set(spans.map((span) => span.attributes["url.path"])), new Set(["/1", "/2", "/3"]));
  socket.destroy();
});

test("status 500 is an error, 404 is none", async () => {
  handle = (request, response) => response.writeHead(request.url === "/500" ? 500 : 404).end();
  await web.call("/500");
  await web.call("/404");
  const spans = await entries(2);
  const isErrorByStatus = new Map(
    spans.map((span) => [span.attributes["http.response.status_code"], span.hasError]),
  );
  assert.deepEqual([isErrorByStatus.get(500), isErrorByStatus.get(404)], [true, false]);
});

test("the app may name its request, and mark it as failed", async () => {
  handle = (_request, response) => {
    trace
      .getActiveSpan()
      ?.updateName("checkout")
      .setAttribute("cart", 3)
      .setStatus({ code: SpanStatusCode.ERROR });
    response.end();
  };
  await web.call("/whatever");
  const [span] = await entries(1);
  assert.deepEqual([span?.name, span?.attributes["cart"], span?.hasError], ["checkout", 3, true]);
});

const QUEUE: [header: (nowMs: number) => string, isKept: boolean][] = [
  [(now) => `t=${(now - 250) / 1_000}`, true],
  [(now) => `${now - 250}`, true],
  [(now) => `t=${(now - 250) * 1_000}`, true],
  [(now) => `${now + 60_000}`, false],
  [() => "soon", false],
  [() => "0", false],
];

for (const [header, isKept] of QUEUE) {
  test(`x-request-start ${header(1_790_000_000_000)} is ${isKept ? "the queue time" : "ignored"}`, async () => {
    handle = (_request, response) => response.end();
    await web.call("/", { headers: { "x-request-start": header(Date.now()) } });
    const queueMs = (await entries(1))[0]?.attributes["apm.queue_time_ms"];
    assert.equal(queueMs !== undefined && Number(queueMs) >= 249, isKept);
  });
}

test("a trace goes on from caller to callee, by http and by fetch", async () => {
  handle = async (request, response) => {
    if (request.url === "/callee") response.end(JSON.stringify(request.headers["traceparent"]));
    else if (request.url === "/by-http") response.end((await web.call("/callee")).body);
    else response.end(await (await fetch(`${web.url}/callee`, { headers: { a: "b" } })).text());
  };
  for (const path of ["/by-http", "/by-fetch"]) {
    peer.spans.length = 0;
    const remote = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const { body } = await context.with(context.active(), () =>
      web.call(path, { headers: { traceparent: remote } }),
    );
    await entries(2);
    await until(() => peer.spans.length === 4, "all four arrive");
    const caller = peer.spans.find((span) => span.attributes["url.path"] === path);
    const callee = peer.spans.find((span) => span.attributes["url.path"] === "/callee");
    const call = peer.spans.find((span) => span.spanId === callee?.parentId);
    assert.deepEqual([caller?.traceId, caller?.parentId], [remote.slice(3, 35), remote.slice(36, 52)]);
    assert.equal(call?.kind, 2);
    assert.equal(call?.parentId, caller?.spanId);
    assert.equal(callee?.traceId, caller?.traceId);
    assert.equal(callee?.hasRemoteParent, true);
    assert.equal(JSON.parse(body), `00-${callee?.traceId}-${call?.spanId}-01`);
    assert.equal(call?.attributes["url.full"], `${web.url}/callee`);
    assert.equal(call?.attributes["http.response.status_code"], 200);
  }
});

test("calls that fail are errors with their code", async () => {
  handle = (_request, response) => response.end();
  const { port } = web;
  await web.close();
  await assert.rejects(web.call("/gone", { agent: false }), { code: "ECONNREFUSED" });
  await assert.rejects(fetch(`http://127.0.0.1:${port}/gone`));
  await until(() => peer.spans.length === 2, "both arrive");
  assert.deepEqual(
    peer.spans.map((span) => [span.hasError, span.attributes["error.type"]]),
    [
      [true, "ECONNREFUSED"],
      [true, "ECONNREFUSED"],
    ],
  );
  web = await new WebServer((request, response) => void handle(request, response)).listen();
});

test("an answer that is torn off keeps its status and is marked", async () => {
  handle = (_request, response) => {
    response.flushHeaders();
    response.write("part");
    response.socket?.destroy();
  };
  await assert.rejects(web.call("/torn"));
  const [span] = await entries(1);
  assert.equal(span?.attributes["apm.aborted"], true);
  assert.equal(span?.attributes["http.response.status_code"], 200);
});
