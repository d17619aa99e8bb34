import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { LedgerReport, RecentReport, StatusReport, TopReport } from "@apm-daemon/protocol";
import { tempDir } from "../testing/temp-dir.ts";
import type { RecentQuery } from "./recent-hour.ts";
import { StatusServer } from "./status-server.ts";

interface Answer {
  status: number;
  type: string;
  allow: string;
  body: string;
}

function ask(socketPath: string, path: string, method = "GET"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, method, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        body += text;
      });
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          type: response.headers["content-type"] ?? "",
          allow: response.headers.allow ?? "",
          body,
        }),
      );
    });
    asked.on("error", reject);
    asked.end();
  });
}

function report(changes: Partial<StatusReport> = {}): StatusReport {
  return {
    version: "1",
    pid: 1,
    startUnixMs: 1_500,
    host: "test",
    health: "ok",
    problems: [],
    self: { cpuRatio: 0.01, rssBytes: 1_000 },
    hostSecond: {},
    agentSocket: "",
    apps: [],
    intake: {
      connections: 2,
      frames: 3,
      spans: 4,
      bytes: 5,
      refused: 6,
      malformed: 7,
      duplicates: 20,
      sequenceJumps: 21,
      origin: "proven",
      refusedBy: { connections_per_uid: 23 },
      throttled: { users: 1, ms: 2_500 },
      users: [
        {
          uid: 33,
          name: "www-data",
          connections: 1,
          bytes: 9,
          bytesPerSecond: 24,
          isThrottled: true,
          throttledMs: 2_500,
          refused: 23,
        },
      ],
      falsePids: 25,
    },
    traces: { passedOver: 22, verdicts: { made: 26, failed: 27, leftOut: 28 } },
    journal: { bytes: 8, segments: 1, position: 100, sealed: 60, capBytes: 9 },
    outbox: { batches: 10, bytes: 11, oldestUnixMs: null, capBytes: 12 },
    uplink: { url: "", state: "waiting", reason: "no", lastAckUnixMs: null, batchesAcked: 13, bytesSent: 14 },
    dropped: {},
    ...changes,
  };
}

function noLedger(): LedgerReport {
  return {
    host: "web-1",
    stream: "s",
    nextNumber: 1,
    journal: { position: 0, sealed: 0 },
    sealed: [],
    now: [],
    inFlight: {},
    overcounted: 0,
    unanchored: 0,
    collector: "ws://127.0.0.1:1",
  };
}

function noTop(): TopReport {
  const { version, startUnixMs, host, health, problems, self, hostSecond } = report();
  const status = { version, startUnixMs, host, health, problems, self, hostSecond };
  return {
    ...status,
    nowUnixMs: 2_000,
    cores: 2,
    apps: [],
    appsLeftOut: 0,
    processes: [],
    processesTsSec: null,
  };
}

/** Nothing happened in these minutes; nobody may ask for 60. */
function recentOf({ minutes, app = "web-1" }: RecentQuery): Promise<RecentReport | null> {
  if (minutes === 60) return Promise.resolve(null);
  return Promise.resolve({
    host: app,
    minutes,
    fromUnixMs: 0,
    sinceUnixMs: 0,
    toUnixMs: 0,
    requests: 0,
    errors: 0,
    totalTimeMs: 0,
    actions: [],
    calls: [],
    slowStatements: [],
    traces: [],
    leftOut: { actions: 0, calls: 0, slowStatements: 0, traces: 0, minutes: 0 },
  });
}

/** Only the trace of ones is known here. */
function traceOf(traceId: string): { status: 200 | 404; body: unknown } {
  return { status: /^1+$/.test(traceId) ? 200 : 404, body: { traceId } };
}

async function serve(t: TestContext, now: () => StatusReport): Promise<string> {
  const path = join(tempDir(t), "status.sock");
  const server = new StatusServer({
    path,
    report: now,
    ledger: noLedger,
    top: noTop,
    recent: recentOf,
    trace: (id) => Promise.resolve(traceOf(id)),
  });
  await server.start();
  t.after(() => server.stop());
  return path;
}

test("/traces/ID is the trace as JSON, or 404 with the reason as JSON; what is no trace id is no such page", async (t) => {
  const path = await serve(t, report);
  const known = "1".repeat(32);
  const found = await ask(path, `/traces/${known}`);
  assert.deepEqual(
    [found.status, found.type, JSON.parse(found.body)],
    [200, "application/json", { traceId: known }],
  );
  const missing = await ask(path, `/traces/${"2".repeat(32)}`);
  assert.deepEqual([missing.status, JSON.parse(missing.body)], [404, { traceId: "2".repeat(32) }]);
  for (const id of ["1".repeat(31), "A".repeat(32), `${known}0`, "../status"]) {
    const refused = await ask(path, `/traces/${id}`);
    assert.deepEqual([refused.status, refused.type], [404, "text/plain"], id);
  }
});

test("/status is the report as it is now", async (t) => {
  let now = report();
  const path = await serve(t, () => now);
  const { status, type, body } = await ask(path, "/status");
  assert.deepEqual([status, type, JSON.parse(body)], [200, "application/json", now]);
  now = report({ problems: ["a problem"], health: "degraded" });
  assert.deepEqual(JSON.parse((await ask(path, "/status?x=1")).body), now);
});

test("/healthz is 200 while the daemon does its work, 503 when it fails", async (t) => {
  let health: StatusReport["health"] = "ok";
  const path = await serve(t, () => report({ health, problems: ["why"] }));
  assert.equal((await ask(path, "/healthz")).status, 200);
  health = "degraded";
  assert.equal((await ask(path, "/healthz")).status, 200);
  health = "failing";
  const { status, body } = await ask(path, "/healthz");
  assert.deepEqual([status, JSON.parse(body)], [503, { health: "failing", problems: ["why"] }]);
});

test("/metrics is Prometheus' text format, and hostile names stay inside their quotes", async (t) => {
  const names = ['quo"te', "back\\slash", "new\nline", '"} 1\napm_fake 1'];
  const dropped = Object.fromEntries(names.map((name, i) => [name, { [name]: i + 1 }]));
  const path = await serve(t, () => report({ dropped }));
  const { status, type, body } = await ask(path, "/metrics");
  assert.deepEqual([status, type], [200, "text/plain; version=0.0.4"]);
  assert.ok(body.endsWith("\n"));
  const seen = new Map<string, number>();
  let described = "";
  for (const line of body.trimEnd().split("\n")) {
    const comment = /^# (HELP|TYPE) ([a-z_]+) (.+)$/.exec(line);
    if (comment !== null) {
      described = comment[2] as string;
      if (comment[1] === "TYPE") assert.match(comment[3] as string, /^(counter|gauge)$/);
      continue;
    }
    const sample = /^([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\]|\\[\\"n])*",?)*\})? (\d+(?:\.\d+)?)$/.exec(line);
    assert.ok(sample !== null, `not a sample: ${line}`);
    assert.equal(sample[1], described);
    seen.set(`${sample[1]}${sample[2] ?? ""}`, Number(sample[3]));
  }
  assert.equal(seen.get("apm_intake_spans_total"), 4);
  assert.equal(seen.get("apm_journal_unsealed_bytes"), 40);
  assert.equal(seen.get("apm_uplink_connected"), 0);
  assert.equal(seen.get("apm_intake_duplicates_total"), 20);
  assert.equal(seen.get("apm_intake_sequence_jumps_total"), 21);
  assert.equal(seen.get("apm_traces_passed_over_total"), 22);
  assert.equal(seen.get("apm_intake_origin_proven"), 1);
  assert.equal(seen.get('apm_intake_refused_by_total{reason="connections_per_uid"}'), 23);
  assert.equal(seen.get("apm_intake_throttled_users"), 1);
  assert.equal(seen.get("apm_intake_throttled_seconds_total"), 2.5);
  assert.equal(seen.get('apm_intake_user_bytes_per_second{uid="33"}'), 24);
  assert.equal(seen.get("apm_intake_false_pids"), 25);
  assert.equal(seen.get("apm_daemon_start_time_seconds"), 1.5);
  assert.equal(seen.get('apm_spans_dropped_total{app="new\\nline",reason="new\\nline"}'), 3);
  assert.equal(
    [...seen.keys()].filter((key) => key.startsWith("apm_spans_dropped_total")).length,
    names.length,
  );
  assert.equal(seen.has("apm_fake"), false);
});

test("other paths are told what there is, other methods that only GET is answered", async (t) => {
  const path = await serve(t, report);
  assert.deepEqual(
    [
      (await ask(path, "/")).status,
      (await ask(path, "/status/")).status,
      (await ask(path, "//status")).status,
    ],
    [404, 404, 404],
  );
  assert.match(
    (await ask(path, "/x")).body,
    /\/status, \/ledger, \/top, \/recent, \/metrics, \/healthz and \/traces\/ID/,
  );
  for (const method of ["POST", "PUT", "DELETE", "HEAD"]) {
    const { status, allow } = await ask(path, "/status", method);
    assert.deepEqual([status, allow], [405, "GET"]);
  }
});

test("/ledger is the loss ledger", async (t) => {
  const path = await serve(t, report);
  assert.deepEqual(JSON.parse((await ask(path, "/ledger")).body), noLedger());
});

test("only the owner and the group may ask", async (t) => {
  const path = await serve(t, report);
  assert.equal(statSync(path).mode & 0o777, 0o660);
});

test("stop ends open connections, and the socket is gone", async (t) => {
  const path = join(tempDir(t), "status.sock");
  const server = new StatusServer({
    path,
    report,
    ledger: noLedger,
    top: noTop,
    recent: recentOf,
    trace: (id) => Promise.resolve(traceOf(id)),
  });
  await server.start();
  await ask(path, "/status");
  await server.stop();
  await assert.rejects(ask(path, "/status"), { code: "ENOENT" });
});

test("/top is the host, its apps and processes; /recent what the last minutes had, by default ten", async (t) => {
  const path = await serve(t, report);
  const top = await ask(path, "/top");
  assert.deepEqual([top.status, top.type, JSON.parse(top.body)], [200, "application/json", noTop()]);
  const recent = async (query: string): Promise<unknown> => {
    const { status, body } = await ask(path, `/recent${query}`);
    const { host, minutes, error } = JSON.parse(body) as Partial<RecentReport> & { error?: { code: string } };
    return [status, minutes ?? error?.code, ...(host === undefined ? [] : [host])];
  };
  assert.deepEqual(await recent(""), [200, 10, "web-1"]);
  assert.deepEqual(await recent("?minutes=59&app=my%20shop%26co"), [200, 59, "my shop&co"]);
  for (const wrong of ["0", "61", "1.5", "-1", "", "1e1", "ten"])
    assert.deepEqual(await recent(`?minutes=${wrong}`), [400, "INVALID_QUERY"], wrong);
  assert.deepEqual(await recent("?minutes=60"), [503, "BUSY"]);
});
