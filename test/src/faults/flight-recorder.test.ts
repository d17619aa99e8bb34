import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { encodeHello, encodeMessage, type FetchedTraceAnswer, MessageType } from "@apm-daemon/protocol";
import { AgentSocket } from "../support/agent-socket.ts";
import { type RunningApp, startRelay } from "../support/apps.ts";
import { launchBrowser, openPage, takeScreenshot } from "../support/browser.ts";
import { Cleanup } from "../support/cleanup.ts";
import type { AskedHost, FetchedTrace, TraceSpan } from "../support/collector-api.ts";
import { eventually } from "../support/eventually.ts";
import { skipWithout } from "../support/parts.ts";
import type { Program } from "../support/program.ts";
import {
  type Collector,
  createKeyFile,
  runApm,
  StateDir,
  startCollector,
  startDaemon,
} from "../support/system.ts";
import { takeTurn } from "../support/take-turn.ts";

/** Nothing is kept, and the ring is as small as it may be. */
const TOML = `seal_interval_ms = 1000
[journal]
segment_bytes = 2097152
cap_bytes = 4194304
[traces]
errors_per_action = 0
slowest_per_action = 0
random_per_action = 0
`;
/** A query and the request itself in each hop, and two calls to the next. */
const SPANS = 8;

interface Hop {
  state: StateDir;
  daemon: Program;
  app: RunningApp;
}

describe("the flight recorder", () => {
  const cleanup = new Cleanup();
  let collector: Collector;
  let keyFile: string;
  const hops: Partial<Record<"host-a" | "host-b" | "host-c", Hop>> = {};

  before(async () => {
    await takeTurn(cleanup);
    const state = new StateDir(cleanup);
    collector = await startCollector(cleanup, state);
    keyFile = await createKeyFile(state, "hops");
    let nextUrl = "";
    for (const host of ["host-c", "host-b", "host-a"] as const) {
      const hopState = new StateDir(cleanup);
      const daemon = await startOn(host, hopState);
      const agent = { by: "--require", socket: hopState.agentSocket, name: `app of ${host}` } as const;
      const app = await startRelay(cleanup, agent, { nextUrl });
      hops[host] = { state: hopState, daemon, app };
      nextUrl = app.url;
    }
    await eventually("all hosts are known to the collector", 40_000, async () => {
      assert.deepEqual(
        (await collector.api.hosts()).map(({ host }) => host),
        ["host-a", "host-b", "host-c"],
      );
    });
  });
  after(() => cleanup.run());

  function startOn(host: string, stateDir: StateDir): Promise<Program> {
    const toml = `host_name = "${host}"\n${TOML}`;
    return startDaemon(cleanup, { stateDir, collectorUrl: collector.uplinkUrl, keyFile, toml });
  }

  function hop(host: keyof typeof hops): Hop {
    return hops[host] ?? assert.fail(host);
  }

  /** A request through all three hops; its trace id. */
  async function request(): Promise<string> {
    const traceId = randomBytes(16).toString("hex");
    const answer = await callHops(traceId, "/parcel");
    assert.equal(await answer.text(), "delivered\n");
    return traceId;
  }

  function callHops(traceId: string, path: string): Promise<Response> {
    const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;
    return fetch(`${hop("host-a").app.url}${path}`, { headers: { traceparent } });
  }

  /** Apps hand over their spans within a second; so ask until all that can come has come. */
  function fetched(traceId: string, spans: number): Promise<FetchedTrace> {
    return eventually(`${spans} spans of the trace are fetched`, 40_000, async () => {
      const trace = await collector.api.fetchTrace(traceId);
      assert.equal(trace.spans.length, spans, JSON.stringify(trace.hosts));
      return trace;
    });
  }

  test("a request that crossed three apps on three hosts comes back whole although nothing of it was kept", async () => {
    const traceId = await request();
    await eventually("all requests are counted", 40_000, async () => {
      for (const host of ["host-a", "host-b", "host-c"])
        assert.equal(await collector.api.requestCount(`app of ${host}`), 1);
    });
    await assert.rejects(collector.api.trace(traceId), /answered 404/);
    const trace = await fetched(traceId, SPANS);
    assert.deepEqual(statesOf(trace.hosts), { "host-a": "found", "host-b": "found", "host-c": "found" });
    assertChain(trace.spans);
    assert.deepEqual(
      trace.roots.map(({ reason, spans }) => [reason, spans]),
      [
        ["fetched", 3],
        ["fetched", 3],
        ["fetched", 2],
      ],
    );
    assert.equal((await collector.api.trace(traceId)).spans.length, SPANS, "it can be opened again");
    for (const host of ["host-a", "host-b", "host-c"]) {
      assert.equal(await collector.api.requestCount(`app of ${host}`), 1, "fetching counts nothing");
      assert.deepEqual(await collector.api.traces(`app of ${host}`), []);
    }
  });

  test("apm trace prints the waterfall, with the collector and without", async () => {
    const traceId = await request();
    await fetched(traceId, SPANS);
    const { state } = hop("host-a");
    const shown = await runApm(["trace", traceId, "--state-dir", state.path]);
    assert.deepEqual([shown.code, shown.stderr], [0, ""]);
    for (const host of ["host-a", "host-b", "host-c"])
      assert.ok(shown.stdout.includes(`app of ${host}@${host}`), shown.stdout);
    assert.equal(shown.stdout.match(/SELECT parcels/g)?.length, 3, shown.stdout);

    const local = await runApm(["trace", traceId, "--state-dir", state.path, "--local", "--json"]);
    const answer = JSON.parse(local.stdout) as FetchedTraceAnswer;
    assert.deepEqual([local.code, answer.spans.length], [0, 3]);
    assert.deepEqual(
      answer.hosts.map(({ host, state: found }) => [host, found]),
      [["host-a", "found"]],
    );

    const fallback = await runApm([
      "trace",
      traceId,
      "--state-dir",
      state.path,
      "--collector",
      "http://127.0.0.1:1",
    ]);
    assert.equal(fallback.code, 0);
    assert.match(
      fallback.stderr,
      /collector at http:\/\/127\.0\.0\.1:1 cannot be reached .*; shown is the journal of this host alone/,
    );
    assert.match(fallback.stdout, /3 spans, 1 app on 1 host/);

    const unknown = "f".repeat(32);
    await eventually("all hosts have searched their journals to the end", 40_000, async () => {
      const none = await runApm(["trace", unknown, "--state-dir", state.path]);
      assert.equal(none.code, 1);
      assert.match(none.stderr, /no host has any span of the trace f+/);
      assert.match(none.stdout, /host-b +nothing; its journal reaches back/);
    });
  });

  test("the page of a trace that nobody kept can ask the hosts, and then shows it", {
    skip: skipWithout("chromium"),
  }, async () => {
    const traceId = await request();
    const browser = await launchBrowser(cleanup);
    const { page } = await openPage(browser, { locale: "en-US" });
    await eventually("the whole trace is on the page", 60_000, async () => {
      await page.goto(`${collector.url}/traces/${traceId}`);
      await page.getByRole("button", { name: "Ask the hosts" }).click();
      await page.getByText(`${SPANS} spans`).first().waitFor({ timeout: 10_000 });
    });
    await page.getByText("all answered in full").waitFor();
    await page.getByRole("cell", { name: "host-c" }).waitFor();
    await takeScreenshot(page, "flight-recorder");
  });

  test("a request that has not ended yet is shown as far as it came", async () => {
    const traceId = randomBytes(16).toString("hex");
    const held = callHops(traceId, "/hold/60000").catch(() => null);
    const trace = await fetched(traceId, 3);
    assert.deepEqual(
      trace.roots.map(({ reason }) => reason),
      ["unfinished", "unfinished", "unfinished"],
    );
    assert.deepEqual(
      trace.spans.map(({ name }) => name),
      ["SELECT parcels", "SELECT parcels", "SELECT parcels"],
    );
    await hop("host-c").app.program.stop();
    await held;
    const agent = {
      by: "--require",
      socket: hop("host-c").state.agentSocket,
      name: "app of host-c",
    } as const;
    const { app } = hop("host-c");
    // The others know its address.
    hop("host-c").app = await startRelay(cleanup, agent, { port: new URL(app.url).port });
  });

  test("a daemon that was killed still has what was in its ring", async () => {
    const traceId = await request();
    const here = hop("host-b");
    await eventually("the spans are in the journal", 30_000, async () => {
      assert.equal(await spansInJournal(here.state.path, traceId), 3);
    });
    await here.daemon.kill();
    // Asked in the moment of the kill, before its end of the connection is closed, it is silent.
    await eventually("it is offline", 20_000, async () => {
      assert.equal(statesOf((await collector.api.fetchTrace(traceId)).hosts)["host-b"], "offline");
    });
    here.daemon = await startOn("host-b", here.state);
    assertChain((await fetched(traceId, SPANS)).spans);
  });

  test("a daemon that hangs is silent, and nobody waits for it beyond the deadline", async () => {
    const traceId = await request();
    await eventually("the spans are in the journal", 30_000, async () => {
      assert.equal(await spansInJournal(hop("host-a").state.path, traceId), 3);
    });
    hop("host-c").daemon.signal("SIGSTOP");
    try {
      await eventually("the two others have answered, and the one that hangs has not", 40_000, async () => {
        const answer = await collector.api.fetchTrace(traceId, 5_000);
        assert.deepEqual(statesOf(answer.hosts), {
          "host-a": "found",
          "host-b": "found",
          "host-c": "silent",
        });
        assert.equal(answer.spans.length, 6);
      });
    } finally {
      hop("host-c").daemon.signal("SIGCONT");
    }
    assertChain((await fetched(traceId, SPANS)).spans);
  });

  test("a ring that was overwritten since is named as past", async () => {
    const traceId = await request();
    const { state } = hop("host-c");
    await eventually("the last hop's spans are in the journal", 30_000, async () => {
      assert.equal(await spansInJournal(state.path, traceId), 2);
    });
    await overwriteRing(state.agentSocket);
    const trace = await eventually("its spans are gone from the ring", 40_000, async () => {
      const answer = await collector.api.fetchTrace(traceId);
      assert.deepEqual(statesOf(answer.hosts), {
        "host-a": "found",
        "host-b": "found",
        "host-c": "past_ring",
      });
      return answer;
    });
    assert.equal(trace.spans.length, 6);
    const past = trace.hosts.find(({ host }) => host === "host-c");
    assert.ok((past?.oldestUnixMs ?? 0) > Math.min(...trace.spans.map(({ startUnixMs }) => startUnixMs)));
  });

  test("a host whose daemon is stopped is named as offline, with the time it was last heard of", async () => {
    const traceId = await request();
    await eventually("its spans are in the journals of the others", 30_000, async () => {
      const answer = await collector.api.fetchTrace(traceId);
      assert.ok(answer.spans.length >= 6, JSON.stringify(answer.hosts));
    });
    const beforeUnixMs = Date.now();
    await hop("host-b").daemon.stop();
    const other = randomBytes(16).toString("hex");
    const none = await collector.api.fetchTrace(other);
    assert.equal(none.status, 404);
    assert.deepEqual(statesOf(none.hosts), { "host-a": "nothing", "host-b": "offline", "host-c": "nothing" });
    const offline = none.hosts.find(({ host }) => host === "host-b");
    assert.ok(Math.abs((offline?.lastSeenUnixMs ?? 0) - beforeUnixMs) < 30_000);
    const shown = await runApm(["trace", other, "--collector", collector.url]);
    assert.equal(shown.code, 1);
    assert.match(shown.stdout, /host-b +offline, last heard of \d+ s ago/);
  });
});

function statesOf(hosts: readonly AskedHost[]): Record<string, string> {
  return Object.fromEntries(hosts.map(({ host, state }) => [host, state]));
}

/** Each hop's request hangs below the call of the hop before it, and has its own query below it. */
function assertChain(spans: readonly TraceSpan[]): void {
  const seen = spans.map(({ app, host, name, category, parentSpanId }) => {
    const parent = spans.find(({ spanId }) => spanId === parentSpanId);
    return `${host} ${app} ${category} ${name} < ${parent === undefined ? "-" : `${parent.host} ${parent.category}`}`;
  });
  const hosts = ["host-a", "host-b", "host-c"];
  const expected = hosts.flatMap((host, i) => [
    `${host} app of ${host} web GET (unmatched) < ${i === 0 ? "-" : `${hosts[i - 1]} external`}`,
    `${host} app of ${host} database SELECT parcels < ${host} web`,
    ...(i < 2 ? [`${host} app of ${host} external GET 127.0.0.1 < ${host} web`] : []),
  ]);
  assert.deepEqual(seen, expected);
}

/** Asked over the status socket, which leaves nothing in the collector. */
async function spansInJournal(statePath: string, traceId: string): Promise<number> {
  const call = httpRequest({
    socketPath: join(statePath, "run", "status.sock"),
    path: `/traces/${traceId}`,
  }).end();
  const [answer] = (await once(call, "response")) as [IncomingMessage];
  const { spans = [] } = (await json(answer)) as Partial<FetchedTraceAnswer>;
  return spans.length;
}

/** Sends more than the ring holds: reports of a runtime that are mostly blanks, which do not matter to readers. */
async function overwriteRing(agentSocket: string): Promise<void> {
  const socket = await AgentSocket.open(agentSocket);
  const runtime = { unixMs: Date.now(), eventLoopDelayP99Ms: 1 };
  const hello = {
    app: "filler",
    instance: randomBytes(16).toString("hex"),
    pid: process.pid,
    startUnixMs: 0,
  };
  socket.write(encodeHello({ ...hello, runtime: "none", agentVersion: "0", firstUnacknowledged: 1 }));
  await eventually("the daemon welcomes it", 10_000, () =>
    assert.equal(socket.messages("welcome").length, 1),
  );
  for (let sequence = 1; sequence <= 8; sequence++) {
    const payload = Buffer.alloc(1_000_000, " ");
    payload.writeBigUInt64LE(BigInt(sequence), 0);
    payload.write(JSON.stringify(runtime), 8);
    socket.write(encodeMessage(MessageType.runtime, payload));
    await eventually("it is acknowledged", 10_000, () => {
      const acked = socket.messages("ack").map(({ payload: bytes }) => Number(bytes.readBigUInt64LE(0)));
      assert.ok(acked.includes(sequence), String(acked));
    });
  }
  socket.destroy();
}
