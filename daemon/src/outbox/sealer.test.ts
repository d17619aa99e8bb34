import assert from "node:assert/strict";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import {
  type BatchHeader,
  decodeBatch,
  decodeSpans,
  MAX_UPLINK_MESSAGE_BYTES,
  MessageType,
  type Verdict,
} from "@apm-daemon/protocol";
import { Aggregator } from "../aggregate/aggregator.ts";
import { LossLedger } from "../aggregate/loss-ledger.ts";
import { FrameIntake } from "../intake/frame-intake.ts";
import { type AppInstance, InstanceRegistry } from "../intake/instance-registry.ts";
import { Journal } from "../journal/journal.ts";
import { recover } from "../recovery.ts";
import { helloOf } from "../testing/agent-peer.ts";
import { FrameWriter, KIND, spanId, type TestSpan } from "../testing/frame-writer.ts";
import { LoggedLines } from "../testing/logged-lines.ts";
import { sampleHeader } from "../testing/sample-header.ts";
import { tempDir } from "../testing/temp-dir.ts";
import { TraceKeeper } from "../traces/trace-keeper.ts";
import type { TimeUse } from "../why-slow/request-time.ts";
import { recoverCursor } from "./cursor.ts";
import { Outbox } from "./outbox.ts";
import { Sealer } from "./sealer.ts";

const NOW_MS = 1_790_000_000_000;

/** The daemon from intake to outbox over a folder; `crash` leaves what kill -9 would. */
class SealingDaemon {
  readonly outbox: Outbox;
  readonly journal: Journal;
  readonly sealer: Sealer;
  readonly sealed: BatchHeader[] = [];
  readonly traces: TraceKeeper;
  /** Thrown when the host is looked at. */
  hostFailure: Error | null = null;
  reserve: { release(): boolean } = { release: () => false };
  failures = 0;
  /** What is found out of each kept trace, and what it was asked of. */
  verdict: Verdict | null = null;
  readonly explained: (TimeUse | null)[] = [];
  readonly #intake: FrameIntake;
  readonly #instance: AppInstance;

  private constructor(dir: string, outbox: Outbox, journal: Journal, cursor: Sealer["cursor"]) {
    const clock = { unixMs: (): number => NOW_MS };
    this.outbox = outbox;
    this.journal = journal;
    this.traces = new TraceKeeper({
      keep: "all",
      errorsPerAction: 0,
      slowestPerAction: 0,
      repeatsPerAction: 0,
      slowUs: () => Number.POSITIVE_INFINITY,
      randomPerAction: 0,
      random: () => 0,
    });
    const ledger = new LossLedger();
    const aggregator = new Aggregator({
      limits: { actionsPerApp: 1_000, operationsPerApp: 1_000, openTraces: 1_000 },
      apdexTUs: () => 500_000,
      slowStatementUs: () => 500_000,
      traces: this.traces,
      ledger,
      onNewApp: () => undefined,
    });
    const instances = new InstanceRegistry(journal);
    this.#intake = new FrameIntake({ journal, counter: aggregator, onRuntime: () => undefined, clock });
    this.sealer = new Sealer({
      cursor,
      cursorPath: join(dir, "journal", "cursor.json"),
      journal,
      journalCapBytes: 1e9,
      aggregator,
      ledger,
      traces: this.traces,
      instances,
      outbox,
      host: sampleHeader(1).host,
      hostSampler: {
        drain: () => ({ tsSec: [], columns: {} }),
        snapshot: () => {
          if (this.hostFailure !== null) throw this.hostFailure;
          return {
            tsSec: 0,
            coreBusyRatios: [],
            disks: [],
            interfaces: [],
            filesystems: [],
            topProcesses: [],
          };
        },
      },
      processSampler: {
        drain: () => new Map([["a".repeat(32), { tsSec: [1], columns: { cpuRatio: [0.5] } }]]),
      },
      events: { take: () => [], saved: () => Promise.resolve(), sealed: () => undefined },
      whySlow: {
        explain: (traces) => {
          for (const { use } of traces) this.explained.push(use);
          return traces.map(() => this.verdict);
        },
      },
      apdexTMs: () => 500,
      statementTexts: () => "shown",
      clock,
      log: new LoggedLines().log,
      reserve: { release: () => this.reserve.release() },
      onFailed: () => void this.failures++,
      onSealed: (header) => void this.sealed.push(header),
    });
    recover({
      journal,
      cursor,
      instances,
      intake: this.#intake,
      aggregator,
      ledger,
      traces: this.traces,
      nowUnixMs: NOW_MS,
    });
    this.#instance = instances.greet(helloOf({ instance: "a".repeat(32), pid: 7 }));
  }

  static async start(dir: string): Promise<SealingDaemon> {
    const journal = new Journal({
      dir: join(dir, "journal"),
      segmentBytes: 5_000,
      capBytes: 1e9,
      fsync: "seal",
    });
    const outbox = new Outbox({ dir: join(dir, "outbox"), capBytes: 1e9 });
    const { cursor } = await recoverCursor(
      join(dir, "journal", "cursor.json"),
      outbox.newest(),
      journal.position,
    );
    outbox.deleteUnfinished(cursor);
    return new SealingDaemon(dir, outbox, journal, cursor);
  }

  /** A folder to run over, and a daemon in it. */
  static async make(t: TestContext): Promise<{ dir: string; daemon: SealingDaemon }> {
    const dir = tempDir(t);
    const daemon = await SealingDaemon.start(dir);
    return { dir, daemon };
  }

  take(frames: FrameWriter, ...spans: TestSpan[]): void {
    const payload = frames.payload(spans);
    const frame = { type: MessageType.spans, sequence: frames.lastSequence, payload };
    this.#intake.receive(this.#instance, [frame], () => undefined);
  }

  crash(): void {
    this.journal.close();
  }
}

function request(number: number, changes: Partial<TestSpan> = {}): TestSpan {
  const id = spanId(number);
  return {
    root: id,
    id,
    name: "GET /",
    kind: KIND.server,
    endUnixUs: NOW_MS * 1_000,
    durationUs: 5,
    ...changes,
  };
}

/** Requests in the batches of an outbox, with the numbers of the batches. */
function delivered(outbox: Outbox): { numbers: number[]; requests: number } {
  let requests = 0;
  for (const number of outbox.numbers())
    for (const row of decodeBatch(outbox.read(number) as Uint8Array).header.actions) requests += row.requests;
  return { numbers: outbox.numbers(), requests };
}

test("a batch holds what was counted, who sent it, its traces' spans, and how far the journal is sealed", async (t) => {
  const { daemon } = await SealingDaemon.make(t);
  const frames = new FrameWriter();
  daemon.take(frames, request(1), request(2, { hasError: true }));
  const position = daemon.journal.position;
  await daemon.sealer.seal();
  const { header, frames: traces } = decodeBatch(daemon.outbox.read(1) as Uint8Array);
  assert.equal(header.number, 1);
  assert.deepEqual(header.journal, { sealed: position, replayFrom: position });
  assert.deepEqual(
    header.apps.map(({ app, apdexTMs, instances }) => [app, apdexTMs, instances[0]?.pid]),
    [["shop", 500, 7]],
  );
  assert.deepEqual(header.processSeconds, [
    { app: "shop", instance: "a".repeat(32), pid: 7, tsSec: [1], columns: { cpuRatio: [0.5] } },
  ]);
  const roots = traces.map((frame) => {
    let id = "";
    decodeSpans(Buffer.from(frame), (span) => {
      id = span.trace.rootSpanId;
    });
    return id;
  });
  assert.deepEqual(
    roots,
    header.traces.map(({ rootSpanId }) => rootSpanId),
  );
  assert.deepEqual(roots, [spanId(2), spanId(1)]);
  assert.equal(JSON.stringify(daemon.sealed), JSON.stringify([header]));
  daemon.crash();
});

test("an open request keeps the replay's start before it, and is whole in the batch after the crash", async (t) => {
  const { dir, daemon } = await SealingDaemon.make(t);
  const frames = new FrameWriter();
  const call = {
    kind: KIND.client,
    name: "GET",
    durationUs: 3,
    attributes: { "http.request.method": "GET" },
  };
  daemon.take(frames, request(9));
  const before = daemon.journal.position;
  daemon.take(frames, request(1, { ...call, id: spanId(50) }));
  await daemon.sealer.seal();
  assert.equal(daemon.sealed[0]?.journal.replayFrom, before);
  daemon.crash();
  const next = await SealingDaemon.start(dir);
  next.take(frames, request(1));
  await next.sealer.seal();
  const { header } = decodeBatch(next.outbox.read(2) as Uint8Array);
  assert.deepEqual(
    header.actions.map(({ requests, externalUs }) => [requests, externalUs]),
    [[1, 3]],
  );
  assert.equal(header.operations[0]?.calls, 1);
  next.crash();
});

test("a crash between any two steps of a seal neither loses nor doubles", async (t) => {
  const { dir, daemon } = await SealingDaemon.make(t);
  const frames = new FrameWriter();
  for (let number = 1; number <= 10; number++) daemon.take(frames, request(number));
  await daemon.sealer.seal();
  for (let number = 11; number <= 15; number++) daemon.take(frames, request(number));
  const drainedOnly = tempDir(t);
  cpSync(dir, drainedOnly, { recursive: true });
  await daemon.sealer.seal();
  daemon.crash();

  const halfWritten = tempDir(t);
  cpSync(drainedOnly, halfWritten, { recursive: true });
  writeFileSync(join(halfWritten, "outbox", "000000000002.batch.tmp"), "APMB half a ba");
  const writtenNotNoted = tempDir(t);
  cpSync(dir, writtenNotNoted, { recursive: true });
  cpSync(join(drainedOnly, "journal", "cursor.json"), join(writtenNotNoted, "journal", "cursor.json"));
  const noting = tempDir(t);
  cpSync(writtenNotNoted, noting, { recursive: true });
  writeFileSync(join(noting, "journal", "cursor.json.tmp"), "{");

  for (const [state, folder] of Object.entries({
    drainedOnly,
    halfWritten,
    writtenNotNoted,
    noting,
    noted: dir,
  })) {
    const next = await SealingDaemon.start(folder);
    next.take(frames, request(16));
    await next.sealer.seal();
    const { numbers, requests } = delivered(next.outbox);
    assert.equal(requests, 16, state);
    assert.deepEqual(
      numbers,
      numbers.map((_, i) => i + 1),
      state,
    );
    next.crash();
    // The frame was for this folder; the next one gets its own.
    rmSync(folder, { recursive: true });
  }
});

test("a batch found at the start, sent and deleted before the next crash, is not made again", async (t) => {
  const { dir, daemon } = await SealingDaemon.make(t);
  const frames = new FrameWriter();
  const oldCursor = readFileSync(join(dir, "journal", "cursor.json"));
  daemon.take(frames, request(1));
  await daemon.sealer.seal();
  daemon.crash();
  writeFileSync(join(dir, "journal", "cursor.json"), oldCursor);
  const second = await SealingDaemon.start(dir);
  second.outbox.delete(1);
  second.crash();
  const third = await SealingDaemon.start(dir);
  await third.sealer.seal();
  assert.deepEqual(delivered(third.outbox), { numbers: [2], requests: 0 });
  third.crash();
});

test("an outbox that cannot be written keeps the batch, says why, and loses nothing when it can", async (t) => {
  const { dir, daemon } = await SealingDaemon.make(t);
  const frames = new FrameWriter();
  const [outboxDir, aside] = [join(dir, "outbox"), join(dir, "aside")];
  renameSync(outboxDir, aside);
  writeFileSync(outboxDir, "a file in the way");
  daemon.take(frames, request(1));
  await daemon.sealer.seal();
  assert.match(
    daemon.sealer.problem,
    /a batch in .* cannot be written \(ENOTDIR: not a directory\).*kept in memory and tried again/,
  );
  daemon.take(frames, request(2));
  await daemon.sealer.seal();
  assert.equal(daemon.sealer.cursor.nextNumber, 1);
  assert.deepEqual(daemon.sealed, []);
  rmSync(outboxDir);
  renameSync(aside, outboxDir);
  await daemon.sealer.seal();
  assert.equal(daemon.sealer.problem, "");
  await daemon.sealer.seal();
  assert.deepEqual(delivered(daemon.outbox), { numbers: [1, 2], requests: 2 });
  daemon.crash();
});

test("a cursor that cannot be written keeps the batch unsent, and the next seal goes on with it", async (t) => {
  const { dir, daemon } = await SealingDaemon.make(t);
  const frames = new FrameWriter();
  const obstacle = join(dir, "journal", "cursor.json.tmp");
  mkdirSync(obstacle);
  daemon.take(frames, request(1));
  await daemon.sealer.seal();
  assert.match(daemon.sealer.problem, /EISDIR/);
  assert.equal(daemon.outbox.count, 0);
  assert.ok(existsSync(join(dir, "outbox", "000000000001.batch")));
  rmSync(obstacle, { recursive: true });
  await daemon.sealer.sealFinally();
  assert.deepEqual(delivered(daemon.outbox), { numbers: [1], requests: 1 });
  daemon.crash();
});

test("seals asked for at once are one; sealFinally covers what came in during one", async (t) => {
  const { daemon } = await SealingDaemon.make(t);
  const frames = new FrameWriter();
  daemon.take(frames, request(1));
  const running = Promise.all([daemon.sealer.seal(), daemon.sealer.seal()]);
  daemon.take(frames, request(2));
  await daemon.sealer.sealFinally();
  await running;
  assert.deepEqual(delivered(daemon.outbox), { numbers: [1, 2], requests: 2 });
  daemon.crash();
});

test("traces that would make the batch larger than a message are left out, counted; the counters go", async (t) => {
  const { daemon } = await SealingDaemon.make(t);
  const frames = new FrameWriter();
  for (let number = 1; number <= 60; number++) {
    const texts = Array.from({ length: 12 }, (_, i) => [
      `text${i}`,
      `${number} ${i} `.repeat(3_000).slice(0, 16_000),
    ]);
    daemon.take(frames, request(number, { attributes: Object.fromEntries(texts) as Record<string, string> }));
  }
  await daemon.sealer.seal();
  const bytes = daemon.outbox.read(1) as Uint8Array;
  assert.ok(bytes.length < MAX_UPLINK_MESSAGE_BYTES);
  const { header } = decodeBatch(bytes);
  assert.equal(header.actions[0]?.requests, 60);
  assert.ok(header.traces.length > 5 && header.traces.length < 60, `${header.traces.length} traces`);
  assert.equal(header.traces.length + daemon.traces.passedOver, 60);
  daemon.crash();
});

/** Takes in 1 000 requests that each make the same 300 calls: 300 000 pairs of action and operation. */
function takeManyPairs(daemon: SealingDaemon): void {
  const frames = new FrameWriter();
  for (let number = 1; number <= 1_000; number++) {
    const calls = Array.from({ length: 300 }, (_, i) =>
      request(number, {
        id: spanId(1_000_000 + number * 1_000 + i),
        kind: KIND.client,
        name: "GET",
        attributes: { "http.request.method": "GET", "server.address": `${i}`.padStart(255, "host") },
      }),
    );
    daemon.take(frames, ...calls, request(number, { name: `GET /${number}` }));
  }
}

/** What the batches of an outbox add up to; each must be one that a collector takes. */
function sums(outbox: Outbox): Record<"batches" | "calls" | "sumUs" | "requests" | "received", number> {
  const total = { batches: 0, calls: 0, sumUs: 0, requests: 0, received: 0 };
  for (const number of outbox.numbers()) {
    const bytes = outbox.read(number) as Uint8Array;
    assert.ok(bytes.length <= MAX_UPLINK_MESSAGE_BYTES);
    const { header } = decodeBatch(bytes);
    total.batches++;
    for (const row of header.operations) {
      total.calls += row.calls;
      total.sumUs += row.sumUs;
    }
    for (const row of header.actions) total.requests += row.requests;
    for (const row of header.ledger) total.received += row.received;
  }
  return total;
}

const MANY_PAIRS = { calls: 300_000, sumUs: 1_500_000, requests: 1_000, received: 301_000 };

test("300 000 pairs of action and operation arrive in batches that a collector takes, their sums exact", async (t) => {
  const { dir, daemon } = await SealingDaemon.make(t);
  takeManyPairs(daemon);
  await daemon.sealer.seal();
  const { batches, ...total } = sums(daemon.outbox);
  assert.deepEqual(total, MANY_PAIRS);
  assert.ok(batches > 1, `${batches} batches`);
  assert.equal(daemon.sealer.cursor.nextNumber, batches + 1);
  assert.equal(daemon.sealed.filter(({ isContinued }) => isContinued === true).length, batches - 1);
  const rows = daemon.sealed.flatMap(({ operations }) => operations);
  assert.equal(rows.length, 20_001);
  const others = rows.filter(({ action }) => action === "(other)");
  assert.deepEqual(
    others.map(({ category, operation, calls }) => [category, operation, calls]),
    [["external", "(other)", 280_000]],
  );
  daemon.crash();
  const again = await SealingDaemon.start(dir);
  await again.sealer.seal();
  assert.deepEqual(sums(again.outbox), { batches: batches + 1, ...MANY_PAIRS });
  again.crash();
});

test("a crash among the batches of one seal neither loses nor doubles", async (t) => {
  const { dir, daemon } = await SealingDaemon.make(t);
  const cursorPath = join(dir, "journal", "cursor.json");
  const cursor = readFileSync(cursorPath);
  takeManyPairs(daemon);
  await daemon.sealer.seal();
  const batches = daemon.outbox.count;
  daemon.crash();
  for (const written of [1, batches - 1, batches]) {
    const folder = tempDir(t);
    cpSync(dir, folder, { recursive: true });
    writeFileSync(join(folder, "journal", "cursor.json"), cursor);
    for (let number = written + 1; number <= batches; number++)
      rmSync(join(folder, "outbox", `${String(number).padStart(12, "0")}.batch`));
    const next = await SealingDaemon.start(folder);
    assert.equal(next.outbox.count, written === batches ? batches : 0, "nothing unfinished is offered");
    await next.sealer.seal();
    const { batches: _, ...total } = sums(next.outbox);
    assert.deepEqual(total, MANY_PAIRS, `${written} of ${batches} written`);
    next.crash();
    rmSync(folder, { recursive: true });
  }
});

test("a seal that fails before anything is written keeps the counters for the next one", async (t) => {
  const { daemon } = await SealingDaemon.make(t);
  daemon.take(new FrameWriter(), request(1));
  daemon.hostFailure = new Error("no such disk");
  await daemon.sealer.seal();
  assert.match(daemon.sealer.problem, /no such disk/);
  daemon.hostFailure = null;
  await daemon.sealer.seal();
  assert.equal(daemon.sealer.problem, "");
  assert.deepEqual(delivered(daemon.outbox), { numbers: [1], requests: 1 });
  daemon.crash();
});

test("kept traces tell why they were slow, if that was found out", async (t) => {
  const { daemon } = await SealingDaemon.make(t);
  const verdict: Verdict = {
    causes: [],
    time: { part: "code", ratio: 1, target: "" },
    confidence: "high",
    doubts: [],
    baselineSeconds: 300,
    seconds: 1,
  };
  const frames = new FrameWriter();
  for (const one of [verdict, null]) {
    daemon.verdict = one;
    daemon.take(frames, request(one === null ? 1 : 2));
    await daemon.sealer.seal();
  }
  assert.deepEqual(
    daemon.sealed.map(({ traces }) => traces.map((trace) => trace.verdict)),
    [[verdict], [undefined]],
  );
  assert.deepEqual(
    daemon.explained.map((use) => use?.code),
    [1, 1],
  );
  daemon.crash();
});

test("an empty outbox folder stays empty until something is sealed", async (t) => {
  const { dir, daemon } = await SealingDaemon.make(t);
  assert.deepEqual(readdirSync(join(dir, "outbox")), []);
  await daemon.sealer.seal();
  assert.deepEqual(readdirSync(join(dir, "outbox")), ["000000000001.batch"]);
  daemon.crash();
});

test("on a full disk the reserve makes room, once, for what was counted", async (t) => {
  const { dir, daemon } = await SealingDaemon.make(t);
  const temporary = join(dir, "outbox", "000000000001.batch.tmp");
  // /dev/full takes no byte: ENOSPC at each write.
  symlinkSync("/dev/full", temporary);
  let released = 0;
  daemon.reserve = {
    release: () => {
      released++;
      return true;
    },
  };
  daemon.take(new FrameWriter(), request(1));
  await daemon.sealer.seal();
  assert.deepEqual([released, daemon.sealer.problem, daemon.failures], [1, "", 0]);
  assert.deepEqual(delivered(daemon.outbox), { numbers: [1], requests: 1 });
  daemon.crash();
});

test("while nothing can be sealed counting goes on up to a limit, then the sealer is full until it can", async (t) => {
  const { dir, daemon } = await SealingDaemon.make(t);
  const obstacle = join(dir, "journal", "cursor.json.tmp");
  mkdirSync(obstacle);
  const frames = new FrameWriter();
  const minuteUs = 60_000_000;
  let minutes = 0;
  while (!daemon.sealer.isFull && minutes < 60) {
    // 1,000 actions in each window, which go on to be held beside the batch that is kept.
    const spans = Array.from({ length: 1_000 }, (_, i) =>
      request(minutes * 1_000 + i + 1, {
        name: `GET /${i}`,
        endUnixUs: NOW_MS * 1_000 - minutes * 0.9 * minuteUs,
      }),
    );
    daemon.take(frames, ...spans);
    await daemon.sealer.seal();
    minutes++;
  }
  assert.ok(minutes > 40 && minutes < 60, `full after ${minutes} windows`);
  assert.equal(daemon.failures, minutes);
  rmSync(obstacle, { recursive: true });
  await daemon.sealer.seal();
  assert.equal(daemon.sealer.isFull, false);
  await daemon.sealer.seal();
  assert.equal(delivered(daemon.outbox).requests, minutes * 1_000);
  daemon.crash();
});
