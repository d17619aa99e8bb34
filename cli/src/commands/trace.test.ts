import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { runApm, tempFolder } from "../test-support/run-apm.ts";
import { sampleStatus } from "../test-support/sample-status.ts";
import { sampleTrace, TRACE_ID } from "../test-support/sample-trace.ts";

const MISSING = {
  error: { code: "NOT_FOUND", message: "no host has any span" },
  hosts: [{ host: "web-1", state: "nothing", spans: 0, oldestUnixMs: null, lastSeenUnixMs: null, gap: "" }],
};

function listen(t: TestContext, server: Server, at: string | number): Promise<void> {
  t.after(() => server.close());
  return new Promise((resolve) => {
    if (typeof at === "number") server.listen(at, "127.0.0.1", () => resolve());
    else server.listen(at, () => resolve());
  });
}

interface Seen {
  method: string;
  url: string;
}

/** A collector that gives one answer; what it was asked is in `seen`. */
async function collector(
  t: TestContext,
  status: number,
  body: unknown,
): Promise<{ url: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    seen.push({ method: request.method ?? "", url: request.url ?? "" });
    response.writeHead(status).end(JSON.stringify(body));
  });
  await listen(t, server, 0);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

/** The state folder of a daemon that reports to `collectorUrl`. */
async function daemon(
  t: TestContext,
  collectorUrl: string,
  trace: RequestListener = (_request, response) => response.writeHead(404).end(JSON.stringify(MISSING)),
): Promise<string> {
  const dir = tempFolder();
  mkdirSync(join(dir, "run"));
  const status = sampleStatus();
  const report = { ...status, uplink: { ...status.uplink, url: collectorUrl } };
  const server = createServer((request, response) => {
    if (request.url === "/status") response.end(JSON.stringify(report));
    else trace(request, response);
  });
  await listen(t, server, join(dir, "run/status.sock"));
  return dir;
}

const answering =
  (body: unknown): RequestListener =>
  (request, response) =>
    request.url === `/traces/${TRACE_ID}`
      ? response.end(JSON.stringify(body))
      : response.writeHead(404).end();

test("asks the collector that the daemon reports to, and prints the waterfall; exit code 0", async (t) => {
  const { url, seen } = await collector(t, 200, sampleTrace());
  const dir = await daemon(t, url.replace("http", "ws"));
  const { code, stdout, stderr } = await runApm(["trace", TRACE_ID.toUpperCase(), "--state-dir", dir]);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.deepEqual(seen, [{ method: "POST", url: `/api/v1/traces/${TRACE_ID}/fetch?deadlineMs=3000` }]);
  assert.match(stdout, /^POST \/checkout {2}412 ms/);
  assert.match(stdout, /web-2 +offline/);
});

test("prints the answer as JSON, from a collector that was named, without any daemon", async (t) => {
  const { url } = await collector(t, 200, sampleTrace());
  const { code, stdout } = await runApm(["trace", TRACE_ID, "--json", "--collector", `${url}/`]);
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(stdout), sampleTrace());
});

test("ends with 1 when nobody has it, and says who was asked", async (t) => {
  const { url } = await collector(t, 404, MISSING);
  const { code, stdout, stderr } = await runApm(["trace", TRACE_ID, "--collector", url]);
  assert.deepEqual([code, stderr], [1, "apm: no host has any span\n"]);
  assert.match(stdout, /web-1 {2}nothing: its journal is empty/);
  const json = await runApm(["trace", TRACE_ID, "--json", "--collector", url]);
  assert.deepEqual([json.code, JSON.parse(json.stdout)], [1, MISSING]);
});

test("ends with 2 for what is no trace id and no address", async () => {
  for (const args of [
    ["4bf9"],
    [`${TRACE_ID}0`],
    ["../status"],
    [TRACE_ID, "--collector", "localhost"],
    [],
  ]) {
    const { code, stdout, stderr } = await runApm(["trace", ...args]);
    assert.deepEqual([code, stdout], [2, ""], args.join(" "));
    assert.match(stderr, /^apm: /);
  }
});

test("ends with 3 where nothing listens, also when the collector that was named is not there", async () => {
  const dir = tempFolder();
  for (const args of [[], ["--local"], ["--collector", "http://127.0.0.1:1"]]) {
    const { code, stderr } = await runApm(["trace", TRACE_ID, "--state-dir", dir, ...args]);
    assert.equal(code, 3, stderr);
    assert.match(stderr, /no daemon listens at .*run\/status\.sock/);
    if (args.length === 2) assert.match(stderr, /the collector at http:\/\/127\.0\.0\.1:1 cannot be reached/);
  }
});

test("shows what this host alone has, and says so, when the collector cannot be asked", async (t) => {
  const failing = await collector(t, 503, { error: { code: "TOO_MANY_FETCHES", message: "ten at once" } });
  const old = await collector(t, 405, {
    error: { code: "METHOD_NOT_ALLOWED", message: "only GET and HEAD" },
  });
  const gone = createServer();
  await new Promise<void>((resolve) => {
    gone.listen(0, "127.0.0.1", () => resolve());
  });
  const { port } = gone.address() as AddressInfo;
  await new Promise((resolve) => gone.close(resolve));
  for (const [url, reason] of [
    [`http://127.0.0.1:${port}`, /cannot be reached \(ECONNREFUSED\)/],
    [failing.url, /does not answer this: ten at once/],
    [old.url, /does not answer this: only GET and HEAD/],
  ] as const) {
    const dir = await daemon(t, url, answering(sampleTrace()));
    const { code, stdout, stderr } = await runApm(["trace", TRACE_ID, "--state-dir", dir]);
    assert.equal(code, 0);
    assert.match(stderr, reason);
    assert.match(stderr, /; shown is the journal of this host alone\n$/);
    assert.match(stdout, /^POST \/checkout/);
  }
});

test("--local asks the daemon alone; one that is too old to know the question is told apart from one that has nothing", async (t) => {
  const { url, seen } = await collector(t, 200, sampleTrace());
  const dir = await daemon(t, url);
  const missing = await runApm(["trace", TRACE_ID, "--local", "--state-dir", dir]);
  assert.deepEqual([missing.code, missing.stderr, seen], [1, "apm: no host has any span\n", []]);
  const old = await daemon(t, url, (_request, response) =>
    response.writeHead(404).end("there are /status\n"),
  );
  const tooOld = await runApm(["trace", TRACE_ID, "--local", "--state-dir", old]);
  assert.equal(tooOld.code, 1);
  assert.match(tooOld.stderr, /gave no usable answer: it is too old to be asked for traces/);
});
