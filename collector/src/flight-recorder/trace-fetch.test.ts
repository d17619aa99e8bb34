import assert from "node:assert/strict";
import { request } from "node:http";
import { type TestContext, test } from "node:test";
import type {
  AskedHost,
  FetchedTraceAnswer,
  FoundPart,
  UplinkFound,
  UplinkMessage,
  UplinkWant,
} from "@apm-daemon/protocol";
import { HandUplink } from "../testing/hand-uplink.ts";
import { RunningCollector } from "../testing/running-collector.ts";
import { SEALED_MS, sampleHeader, sampleHost, sampleRequests, WINDOW_SEC } from "../testing/sample-batch.ts";
import { type SampleSpan, spansFrame, traceSummary } from "../testing/sample-trace.ts";
import { MAX_QUESTION_BYTES } from "./daemon-answer.ts";
import { DaemonQuestions } from "./daemon-questions.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const START_MS = WINDOW_SEC * 1_000;
const id = (n: number): string => n.toString(16).padStart(16, "0");

function spanOf(n: number, parent: number, changes: Partial<SampleSpan> = {}): SampleSpan {
  const parentSpanId = parent === 0 ? "" : id(parent);
  return {
    spanId: id(n),
    parentSpanId,
    name: `span ${n}`,
    kind: 1,
    startMs: n,
    durationMs: 50 - n,
    ...changes,
  };
}

/** A part as a daemon finds it; the first span is its entry. */
function partOf(
  spans: readonly [SampleSpan, ...SampleSpan[]],
  changes: Partial<FoundPart["summary"]> = {},
): FoundPart {
  const { reason: _reason, ...summary } = traceSummary(TRACE, spans[0], { spans: spans.length });
  return {
    summary: { ...summary, reason: "fetched", ...changes },
    frame: spansFrame(TRACE, spans).toString("base64"),
  };
}

const shopPart = partOf([spanOf(1, 0), spanOf(2, 1, { kind: 2 })]);
const stockPart = partOf(
  [spanOf(3, 2), spanOf(4, 3, { kind: 2, attributes: { "db.system.name": "mysql" } })],
  { app: "stock" },
);

/** A daemon by hand that answers each question as the test says. */
class Daemon {
  readonly uplink: HandUplink;
  readonly wants: UplinkWant[] = [];

  private constructor(uplink: HandUplink, answer: (want: UplinkWant) => unknown[]) {
    this.uplink = uplink;
    void this.#serve(answer);
  }

  static async connect(
    collector: RunningCollector,
    host: string,
    answer: (want: UplinkWant) => unknown[],
    stream: string = crypto.randomUUID(),
  ): Promise<Daemon> {
    const uplink = await HandUplink.open(collector.url, collector.key);
    await uplink.hello(stream, sampleHost({ name: host, id: host }));
    return new Daemon(uplink, answer);
  }

  async #serve(answer: (want: UplinkWant) => unknown[]): Promise<void> {
    for (;;) {
      const message: UplinkMessage = await this.uplink.next();
      if (message.type !== "want") continue;
      this.wants.push(message);
      for (const found of answer(message))
        this.uplink.socket.send(typeof found === "string" ? found : JSON.stringify(found));
    }
  }
}

function found(want: UplinkWant, parts: unknown[], changes: Partial<UplinkFound> = {}): unknown {
  return {
    type: "found",
    id: want.id,
    parts,
    hasMore: false,
    oldestUnixMs: START_MS - 60_000,
    gap: "",
    ...changes,
  };
}

interface Fetched {
  status: number;
  body: FetchedTraceAnswer & { error?: { code: string } };
  headers: Headers;
}

async function post(
  collector: RunningCollector,
  call: string,
  headers: Record<string, string> = {},
): Promise<Fetched> {
  const response = await fetch(`${collector.url}/api/v1/${call}`, { method: "POST", headers });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Fetched["body"],
  };
}

function fetchTrace(collector: RunningCollector, query = ""): Promise<Fetched> {
  return post(collector, `traces/${TRACE}/fetch${query}`);
}

async function started(t: TestContext): Promise<RunningCollector> {
  const collector = await RunningCollector.start();
  t.after(() => collector.end());
  return collector;
}

function states(hosts: readonly AskedHost[]): Record<string, string> {
  return Object.fromEntries(
    hosts.map(({ host, state, gap }) => [host, gap === "" ? state : `${state} ${gap}`]),
  );
}

test("a trace that nobody kept comes whole from all hosts, and can be opened again afterwards", async (t) => {
  const collector = await started(t);
  const one = await Daemon.connect(collector, "web-1", (want) => [found(want, [shopPart])]);
  await Daemon.connect(collector, "web-2", (want) => [found(want, [stockPart])]);
  assert.equal((await collector.get(`traces/${TRACE}`)).status, 404);

  const { status, body, headers } = await fetchTrace(collector, "?deadlineMs=9000");
  assert.equal(status, 200);
  assert.equal(headers.get("cache-control"), "no-store");
  assert.deepEqual(one.wants, [{ type: "want", id: one.wants[0]?.id, traceIds: [TRACE], deadlineMs: 7_200 }]);
  assert.deepEqual(
    body.spans.map(({ spanId, parentSpanId, app, host, category }) => [
      spanId,
      parentSpanId,
      app,
      host,
      category,
    ]),
    [
      [id(1), null, "shop", "web-1", "web"],
      [id(2), id(1), "shop", "web-1", "external"],
      [id(3), id(2), "stock", "web-2", "web"],
      [id(4), id(3), "stock", "web-2", "database"],
    ],
  );
  assert.deepEqual(
    body.roots.map(({ app, reason, spans }) => [app, reason, spans]),
    [
      ["shop", "fetched", 2],
      ["stock", "fetched", 2],
    ],
  );
  assert.equal(body.stored, true);
  const about = {
    state: "found",
    spans: 2,
    oldestUnixMs: START_MS - 60_000,
    lastSeenUnixMs: SEALED_MS + 1_000,
    gap: "",
  };
  assert.deepEqual(body.hosts, [
    { host: "web-1", ...about },
    { host: "web-2", ...about },
  ]);

  const { hosts: _hosts, stored: _stored, ...whole } = body;
  const again = await collector.get(`traces/${TRACE}`);
  assert.deepEqual([again.status, again.body], [200, whole]);
  assert.deepEqual((await fetchTrace(collector)).body.roots, body.roots, "asking again doubles nothing");
});

test("fetching changes no counter and no list of kept traces, and a kept part is not doubled by a fetched one", async (t) => {
  const collector = await started(t);
  const daemon = await Daemon.connect(collector, "web-1", (want) => [found(want, [shopPart, stockPart])]);
  await fetchTrace(collector);
  const before = await collector.get<{ apps: unknown[] }>(`apps?from=${START_MS}&to=${START_MS + 20_000}`);
  assert.deepEqual(before.body.apps, []);

  const kept = { ...shopPart.summary, reason: "slow" as const };
  const header = sampleHeader({
    actions: [sampleRequests([1_000])],
    traces: [kept],
    host: sampleHost({ name: "web-1" }),
  });
  await daemon.uplink.close();
  const uplink = await collector.uplink();
  await uplink.deliver(header, [Buffer.from(shopPart.frame, "base64")]);
  const { body } = await collector.get<FetchedTraceAnswer>(`traces/${TRACE}`);
  assert.deepEqual(
    body.roots.map(({ app, reason }) => [app, reason]),
    [
      ["shop", "slow"],
      ["stock", "fetched"],
    ],
  );
  assert.equal(body.spans.length, 4);
  const list = await collector.get<{ traces: { reason: string }[] }>(
    `apps/shop/traces?from=${START_MS}&to=${START_MS + 20_000}`,
  );
  assert.deepEqual(
    list.body.traces.map(({ reason }) => reason),
    ["slow"],
  );
  const summary = await collector.get<{ requests: number }>(
    `apps/shop/summary?from=${START_MS}&to=${START_MS + 20_000}`,
  );
  assert.equal(summary.body.requests, 1);
});

test("of a part that came twice, the one with more spans is shown: an unfinished request grows up", async (t) => {
  const collector = await started(t);
  const unfinished = partOf([spanOf(1, 0), spanOf(2, 1)], { reason: "unfinished", action: "(unfinished)" });
  const whole = partOf([spanOf(1, 0), spanOf(2, 1), spanOf(5, 1)]);
  const answers = [unfinished, whole, unfinished];
  await Daemon.connect(collector, "web-1", (want) => [found(want, [answers.shift()])]);
  for (const expected of [
    ["unfinished", 2],
    ["fetched", 3],
    ["fetched", 3],
  ]) {
    const { body } = await fetchTrace(collector);
    assert.deepEqual(
      body.roots.map(({ reason, spans }) => [reason, spans]),
      [expected],
    );
    assert.equal(body.spans.length, expected[1]);
  }
});

test("names every host that could not answer, and why", async (t) => {
  const collector = await started(t);
  const gone = await HandUplink.open(collector.url, collector.key);
  const stream = crypto.randomUUID();
  await gone.hello(stream, sampleHost({ name: "off" }));
  await gone.deliver(sampleHeader({ stream, host: sampleHost({ name: "off" }) }));
  await gone.close();
  await Daemon.connect(collector, "found", (want) => [found(want, [shopPart])]);
  await Daemon.connect(collector, "cut", (want) => [found(want, [stockPart], { gap: "too_large" })]);
  await Daemon.connect(collector, "late", (want) => [
    found(want, [partOf([spanOf(9, 1)])], { hasMore: true }),
  ]);
  await Daemon.connect(collector, "nothing", (want) => [found(want, [])]);
  await Daemon.connect(collector, "empty", (want) => [found(want, [], { oldestUnixMs: null })]);
  await Daemon.connect(collector, "young", (want) => [found(want, [], { oldestUnixMs: START_MS + 3_000 })]);
  await Daemon.connect(collector, "busy", (want) => [found(want, [], { gap: "busy", oldestUnixMs: null })]);
  await Daemon.connect(collector, "mute", () => []);
  const leaver: Daemon = await Daemon.connect(collector, "leaver", () => {
    leaver.uplink.socket.terminate();
    return [];
  });
  const { status, body } = await fetchTrace(collector, "?deadlineMs=700");
  assert.equal(status, 200);
  assert.deepEqual(states(body.hosts), {
    busy: "busy busy",
    cut: "found too_large",
    empty: "nothing",
    found: "found",
    late: "found deadline",
    leaver: "silent connection_lost",
    mute: "silent deadline",
    nothing: "nothing",
    off: "offline",
    young: "past_ring",
  });
  const off = body.hosts.find(({ host }) => host === "off");
  assert.equal(off?.lastSeenUnixMs, SEALED_MS + 1_000);
});

test("when nobody has it: 404 with the hosts; no ring can be past a trace whose time is unknown", async (t) => {
  const collector = await started(t);
  await Daemon.connect(collector, "young", (want) => [found(want, [], { oldestUnixMs: START_MS + 3_000 })]);
  const { status, body } = await fetchTrace(collector);
  assert.deepEqual([status, body.error?.code, states(body.hosts)], [404, "NOT_FOUND", { young: "nothing" }]);
  assert.equal(body.hosts[0]?.oldestUnixMs, START_MS + 3_000);
});

test("an answer may come in several messages; a daemon that came back is asked once, over its new connection", async (t) => {
  const collector = await started(t);
  const stream = crypto.randomUUID();
  const old = await Daemon.connect(collector, "web-1", () => [], stream);
  await Daemon.connect(
    collector,
    "web-1",
    (want) => [found(want, [shopPart], { hasMore: true, oldestUnixMs: null }), found(want, [stockPart])],
    stream,
  );
  const { body } = await fetchTrace(collector, "?deadlineMs=10000");
  assert.deepEqual(states(body.hosts), { "web-1": "found" });
  assert.deepEqual([body.spans.length, body.hosts[0]?.spans, old.wants.length], [4, 4, 0]);
});

test("believes nothing: bad parts are left out, the host is marked, and its connection and batches go on", async (t) => {
  const collector = await started(t);
  const other = "a".repeat(32);
  const frame = shopPart.frame;
  const bad: Record<string, (want: UplinkWant) => unknown[]> = {
    "another trace's summary": (want) => [
      found(want, [{ ...stockPart, summary: { ...stockPart.summary, traceId: other } }]),
    ],
    "another trace's spans": (want) => [
      found(want, [
        { ...stockPart, frame: spansFrame(other, [spanOf(3, 2), spanOf(4, 3)]).toString("base64") },
      ]),
    ],
    "another root's spans": (want) => [found(want, [{ ...stockPart, frame }])],
    "more spans than said": (want) => [
      found(want, [{ ...stockPart, summary: { ...stockPart.summary, spans: 1 } }]),
    ],
    "a damaged frame": (want) => [found(want, [{ ...stockPart, frame: frame.slice(0, -8) }])],
    "no base64": (want) => [found(want, [{ ...stockPart, frame: "?" }])],
    "no frame": (want) => [found(want, [{ summary: stockPart.summary }])],
    "a kept reason": (want) => [
      found(want, [{ ...stockPart, summary: { ...stockPart.summary, reason: "slow" } }]),
    ],
    "no list": (want) => [{ ...(found(want, []) as object), parts: "many" }],
    "no time": (want) => [found(want, [], { oldestUnixMs: "yesterday" as never })],
    "a loud gap": (want) => [found(want, [], { gap: "<script>" as never })],
    "too many parts": (want) => [
      found(
        want,
        Array.from({ length: 501 }, () => stockPart),
      ),
    ],
  };
  const daemons: Daemon[] = [];
  for (const [name, answer] of Object.entries(bad))
    daemons.push(await Daemon.connect(collector, name, answer));
  // Answers to questions of others, or of nobody, change nothing.
  await Daemon.connect(collector, "meddler", (want) => [
    { type: "found", id: "x" },
    { type: "found" },
    found({ ...want, id: want.id + 1 }, [stockPart]),
    found(want, [shopPart]),
    found(want, [stockPart]),
  ]);
  const { status, body } = await fetchTrace(collector);
  assert.equal(status, 200);
  assert.deepEqual(states(body.hosts), {
    ...Object.fromEntries(Object.keys(bad).map((name) => [name, "nothing malformed"])),
    meddler: "found",
  });
  assert.deepEqual(
    body.spans.map(({ spanId }) => spanId),
    [id(1), id(2)],
  );
  for (const { uplink } of daemons) assert.equal(uplink.socket.readyState, uplink.socket.OPEN);
  assert.deepEqual(collector.complaints, []);
});

test("what all hosts may answer together is bounded", async () => {
  const attributes = Object.fromEntries(
    Array.from({ length: 20 }, (_, i) => [`a${i}`, "x".repeat(16_000 + i)]),
  );
  const part = partOf([spanOf(9, 1, { attributes })]);
  const questions = new DaemonQuestions();
  for (const host of ["web-1", "web-2"]) {
    const line = questions.join({
      host,
      stream: host,
      send: (want) => {
        if (want.type !== "want") return;
        queueMicrotask(() =>
          line.found(
            found(
              want,
              Array.from({ length: 30 }, () => part),
            ) as object,
          ),
        );
      },
    });
  }
  const [first, second] = await questions.ask(TRACE, 60_000);
  assert.deepEqual([first?.parts.length, first?.gap], [30, ""]);
  const frameBytes = Buffer.from(part.frame, "base64").length;
  assert.equal(second?.parts.length, Math.floor(MAX_QUESTION_BYTES / frameBytes) - 30);
  assert.deepEqual([second.gap, second.state], ["too_large", "answered"]);
});

test("a text that is neither hello nor found still ends the connection", async (t) => {
  const collector = await started(t);
  const daemon = await Daemon.connect(collector, "web-1", () => []);
  daemon.uplink.socket.send('{"type":"lost"}');
  await new Promise((closed) => daemon.uplink.socket.once("close", closed));
});

test("only this call takes POST, and only with sound parameters", async (t) => {
  const collector = await started(t);
  for (const [call, status] of [
    [`traces/${TRACE}/fetch?deadlineMs=99`, 400],
    [`traces/${TRACE}/fetch?deadlineMs=10001`, 400],
    ["traces/4bf9/fetch", 400],
    [`traces/${TRACE}`, 405],
    [`traces/${TRACE}/fetch/more`, 405],
    ["apps/shop/fetch", 405],
  ] as const)
    assert.equal((await post(collector, call)).status, status, call);
  const read = await fetch(`${collector.url}/api/v1/traces/${TRACE}/fetch`);
  assert.deepEqual([read.status, read.headers.get("allow")], [405, "POST"]);
});

test("a page of another site cannot make the hosts search", async (t) => {
  const collector = await started(t);
  const own = new URL(collector.url).host;
  const path = `/api/v1/traces/${TRACE}/fetch`;
  const statusOf = (headers: Record<string, string>): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const call = request(`${collector.url}${path}`, { method: "POST", headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      call.on("error", reject);
      call.end();
    });
  for (const headers of [
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site", origin: `http://${own}` },
    { "sec-fetch-site": "nonsense" },
    { origin: "https://evil.test" },
    { origin: "null" },
    { origin: "http://127.0.0.1:1" },
    { origin: "http://6.6.6.6", "sec-fetch-site": "none" },
  ])
    assert.equal(await statusOf(headers as Record<string, string>), 403, JSON.stringify(headers));
  for (const headers of [
    {},
    { origin: `http://${own}` },
    { origin: "https://apm.test", "sec-fetch-site": "same-origin" },
  ])
    assert.equal(await statusOf(headers as Record<string, string>), 404, JSON.stringify(headers));
  assert.equal(
    await statusOf({ host: "evil.test", origin: "http://evil.test" }),
    421,
    "a name that was pointed here",
  );
});

test("ten traces are fetched at once, the next is told when to come again; one trace asked for twice is fetched once", async (t) => {
  const collector = await started(t);
  const mute = await Daemon.connect(collector, "mute", () => []);
  const running = Array.from({ length: 10 }, (_, n) =>
    post(collector, `traces/${n.toString(16).repeat(32)}/fetch?deadlineMs=1500`),
  );
  while (mute.wants.length < 10) await new Promise((later) => setTimeout(later, 5));
  const twice = post(collector, `traces/${"0".repeat(32)}/fetch?deadlineMs=1500`);
  const refused = await fetchTrace(collector);
  assert.deepEqual(
    [refused.status, refused.body.error?.code, refused.headers.get("retry-after")],
    [503, "TOO_MANY_FETCHES", "1"],
  );
  assert.deepEqual(
    (await Promise.all([...running, twice])).map(({ status }) => status),
    Array.from({ length: 11 }, () => 404),
  );
  assert.equal(mute.wants.length, 10);
  assert.equal((await fetchTrace(collector, "?deadlineMs=100")).status, 404);
});
