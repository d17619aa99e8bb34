import assert from "node:assert/strict";
import * as http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { trace } from "@opentelemetry/api";
import { start, stop } from "../index.ts";
import { DaemonPeer, type ReceivedSpan, until } from "../test-support/daemon-peer.ts";
import { appPath, REGISTER, runNode } from "../test-support/run-app.ts";

const peer = new DaemonPeer({
  settings: { sql: "obfuscated", flushIntervalMs: 10, overheadBudgetRatio: 1 },
});
let server: http2.Http2Server;
let session: http2.ClientHttp2Session;
let port = 0;
let onStream: (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => unknown;
let onRequest: ((request: http2.Http2ServerRequest, response: http2.Http2ServerResponse) => unknown) | null;

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
  onRequest = null;
  server = http2.createServer();
  server.on("stream", (stream, headers) => {
    if (onRequest === null) onStream(stream, headers);
  });
  server.on("request", (request, response) => void onRequest?.(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ({ port } = server.address() as AddressInfo);
  session = http2.connect(`http://127.0.0.1:${port}`);
});

afterEach(async () => {
  session.destroy();
  await new Promise((resolve) => server.close(resolve));
});

interface Answer {
  status: number;
  body: string;
}

function call(headers: http2.OutgoingHttpHeaders, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stream = session.request(headers, { endStream: body === undefined });
    const answer = { status: 0, body: "" };
    stream.on("response", (received) => (answer.status = received[":status"] ?? 0));
    stream.on("data", (chunk: Buffer) => (answer.body += chunk.toString()));
    stream.on("error", reject);
    stream.on("close", () => resolve(answer));
    if (body !== undefined) stream.end(body);
  });
}

/** Not those of the server of the test before, which may come late. */
async function spansOf(kind: number, count: number): Promise<ReceivedSpan[]> {
  const isOwn = ({ attributes }: ReceivedSpan): boolean => (attributes["server.port"] ?? port) === port;
  const found = (): ReceivedSpan[] => peer.spans.filter((span) => span.kind === kind && isOwn(span));
  await until(() => found().length === count, `${count} spans of kind ${kind} arrive`);
  return found();
}

const activeId = (): string | undefined => trace.getActiveSpan()?.spanContext().spanId;

test("a stream makes a span on both sides, and the trace goes on", async () => {
  onStream = (stream) => {
    stream.respond({ ":status": 201 });
    stream.end("made");
  };
  assert.deepEqual(await call({ ":path": "/things?token=canary", ":method": "POST" }, "x"), {
    status: 201,
    body: "made",
  });
  const [entry] = await spansOf(1, 1);
  const [client] = await spansOf(2, 1);
  assert.equal(entry?.name, "POST (unmatched)");
  assert.deepEqual(entry?.attributes, {
    "http.request.method": "POST",
    "url.path": "/things",
    "url.scheme": "http",
    "server.address": "127.0.0.1",
    "server.port": port,
    "http.response.status_code": 201,
  });
  assert.equal(client?.name, "POST 127.0.0.1");
  assert.deepEqual(client?.attributes, {
    "http.request.method": "POST",
    "server.address": "127.0.0.1",
    "server.port": port,
    "url.full": `http://127.0.0.1:${port}/things`,
    "http.response.status_code": 201,
  });
  assert.deepEqual([entry.traceId, entry.parentId], [client.traceId, client.spanId]);
  assert.deepEqual([entry.hasError, client.hasError], [false, false]);
});

test("200 concurrent requests over one session never mix, on either side", async () => {
  const tracer = trace.getTracer("app");
  onRequest = async (request, response) => {
    const id = activeId();
    await sleep(Math.random() * 5);
    tracer.startSpan("leaf").setAttribute("path", request.url).end();
    for await (const _chunk of request) assert.equal(activeId(), id);
    response.end(request.url);
  };
  await Promise.all(
    Array.from({ length: 200 }, (_, i) =>
      tracer.startActiveSpan("caller", async (caller) => {
        const { body } = await call({ ":path": `/r/${i}`, ":method": "POST" }, "body");
        assert.equal(body, `/r/${i}`);
        assert.equal(trace.getActiveSpan(), caller);
        caller.setAttribute("path", body).end();
      }),
    ),
  );
  const byId = new Map((await spansOf(1, 200)).map((span) => [span.spanId, span]));
  await until(() => peer.spans.length === 800, "all arrive");
  for (const span of peer.spans) byId.set(span.spanId, span);
  for (const leaf of peer.named("leaf")) {
    const entry = byId.get(leaf.parentId);
    const client = byId.get(entry?.parentId ?? "");
    const caller = byId.get(client?.parentId ?? "");
    assert.equal(entry?.attributes["url.path"], leaf.attributes["path"]);
    assert.equal(caller?.attributes["path"], leaf.attributes["path"]);
    assert.equal(caller?.traceId, leaf.traceId);
  }
});

test("events of a call come in the caller's context", async () => {
  onStream = (stream) => {
    stream.respond();
    stream.end("x");
  };
  const tracer = trace.getTracer("app");
  const seen: (string | undefined)[] = [];
  await call({ ":path": "/first" });
  await tracer.startActiveSpan("caller", async (caller) => {
    const stream = session.request({ ":path": "/second" });
    for (const event of ["response", "data", "end", "close"]) stream.on(event, () => seen.push(activeId()));
    await new Promise((resolve) => stream.on("close", resolve));
    caller.end();
  });
  const [caller] = await spansOf(0, 1);
  assert.deepEqual(new Set(seen), new Set([caller?.spanId]));
});

test("the compatibility API, a status without body and a file are not taken for aborted", async () => {
  onRequest = (request, response) => {
    if (request.url === "/204") response.writeHead(204).end();
    else if (request.url === "/file")
      response.stream.respondWithFile(process.execPath, {}, { length: 100_000 });
    else response.writeHead(404).end("none");
  };
  assert.equal((await call({ ":path": "/204" })).status, 204);
  assert.equal((await call({ ":path": "/file" })).body.length > 0, true);
  assert.equal((await call({ ":path": "/204", ":method": "HEAD" })).status, 204);
  assert.equal((await call({ ":path": "/404", ":method": "POST" }, "unread")).status, 404);
  for (const span of await spansOf(1, 4)) {
    assert.equal("apm.aborted" in span.attributes, false, JSON.stringify(span));
    assert.equal(span.hasError, false);
  }
});

test("a client that resets its stream leaves an aborted request; the call is an error", async () => {
  let isAsked = false;
  onStream = () => {
    isAsked = true;
  };
  const stream = session.request({ ":path": "/slow" });
  await until(() => isAsked, "the request arrives");
  stream.close(http2.constants.NGHTTP2_CANCEL);
  const [entry] = await spansOf(1, 1);
  assert.equal(entry?.attributes["apm.aborted"], true);
  assert.equal("http.response.status_code" in (entry?.attributes ?? {}), false);
  const [client] = await spansOf(2, 1);
  assert.deepEqual([client?.hasError, client?.attributes["error.type"]], [true, "ABORTED"]);
});

test("a failed answer and a torn stream are errors on both sides", async () => {
  onStream = (stream, headers) => {
    if (headers[":path"] === "/500") stream.respond({ ":status": 500 }, { endStream: true });
    else stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
  };
  assert.equal((await call({ ":path": "/500" })).status, 500);
  await assert.rejects(call({ ":path": "/torn" }), { code: "ERR_HTTP2_STREAM_ERROR" });
  const clients = await spansOf(2, 2);
  assert.deepEqual(
    clients.map((span) => [span.hasError, span.attributes["error.type"]]),
    [
      [true, "500"],
      [true, "ERR_HTTP2_STREAM_ERROR"],
    ],
  );
  const entries = await spansOf(1, 2);
  assert.deepEqual(
    entries.map((span) => [span.hasError, span.attributes["apm.aborted"]]),
    [
      [true, undefined],
      [false, true],
    ],
  );
});

test("the app's own traceparent stays, and headers are not changed in place", async () => {
  let received = "";
  onStream = (stream, headers) => {
    received = String(headers["traceparent"]);
    stream.respond({}, { endStream: true });
  };
  const own = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  await call({ ":path": "/", TraceParent: own });
  assert.equal(received, own);
  const headers = { ":path": "/" };
  await call(headers);
  assert.deepEqual(headers, { ":path": "/" });
  assert.match(received, /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  await spansOf(1, 2);
  await spansOf(2, 2);
});

test("a call that Node refuses fails as before, and is an error", async () => {
  session.destroy();
  // Node 20 and 22 throw, Node 24 emits: both end here.
  await assert.rejects(call({ ":path": "/" }), { code: "ERR_HTTP2_INVALID_SESSION" });
  const [gone] = await spansOf(2, 1);
  assert.deepEqual([gone?.hasError, gone?.attributes["error.type"]], [true, "ERR_HTTP2_INVALID_SESSION"]);
});

test("the first call of an app that loads http2 after the agent is recorded already", async () => {
  const own = await new DaemonPeer().listen();
  const plain = await runNode([appPath("call-http2.mjs")]);
  const end = await runNode(["--import", REGISTER, appPath("call-http2.mjs")], { APM_SOCKET: own.path });
  assert.deepEqual(end, plain);
  assert.deepEqual([plain.code, plain.stdout], [0, "200\nyes\n"]);
  await until(() => own.byes.length === 1, "the goodbye arrives");
  const [server, client] = [1, 2].map((kind) => own.spans.find((span) => span.kind === kind));
  assert.equal(own.spans.length, 2);
  assert.equal(server?.parentId, client?.spanId);
  assert.deepEqual([server?.attributes["url.path"], client?.hasError], ["/only", false]);
  await own.close();
});
