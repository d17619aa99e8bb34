import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { MessageType, mergeHistograms, type SparseHistogram } from "@apm-daemon/protocol";
import * as fc from "fast-check";
import { Aggregator, type DrainedCounts } from "./aggregate/aggregator.ts";
import { LossLedger } from "./aggregate/loss-ledger.ts";
import { FrameIntake } from "./intake/frame-intake.ts";
import { InstanceRegistry } from "./intake/instance-registry.ts";
import { Journal } from "./journal/journal.ts";
import type { Cursor } from "./outbox/cursor.ts";
import { type RecoveryReport, recover } from "./recovery.ts";
import { FrameWriter, KIND, spanId } from "./testing/frame-writer.ts";
import {
  cut,
  type PlannedCall,
  type PlannedRequest,
  plannedRequests,
  spansOf,
} from "./testing/request-trees.ts";
import { tempDir } from "./testing/temp-dir.ts";
import { TraceKeeper } from "./traces/trace-keeper.ts";

const START_US = 1_790_000_000_000_000;
const NOW_MS = START_US / 1_000;
const START: Cursor = {
  stream: "s",
  nextNumber: 1,
  journal: { sealed: 0, replayFrom: 0 },
  ledger: { apps: [], instances: [] },
};

/** The part of the daemon between the socket and the outbox, over one journal folder. */
class CountingRun {
  readonly journal: Journal;
  readonly aggregator: Aggregator;
  readonly ledger: LossLedger = new LossLedger();
  readonly report: RecoveryReport;
  readonly #traces: TraceKeeper;
  readonly #instances: InstanceRegistry;
  readonly #intake: FrameIntake;

  constructor(dir: string, cursor: Cursor, segmentBytes = 2_000, openTraces = 10_000) {
    this.journal = new Journal({ dir, segmentBytes, capBytes: 10_000_000, fsync: "seal" });
    this.#traces = new TraceKeeper({
      keep: "sampled",
      errorsPerAction: 2,
      slowestPerAction: 1,
      repeatsPerAction: 0,
      slowUs: () => Number.POSITIVE_INFINITY,
      randomPerAction: 1,
      random: () => 0.5,
    });
    this.aggregator = new Aggregator({
      limits: { actionsPerApp: 100, operationsPerApp: 100, openTraces },
      apdexTUs: () => 500_000,
      slowStatementUs: () => 500_000,
      traces: this.#traces,
      ledger: this.ledger,
      onNewApp: () => undefined,
    });
    this.#instances = new InstanceRegistry(this.journal);
    this.#intake = new FrameIntake({
      journal: this.journal,
      counter: this.aggregator,
      onRuntime: () => undefined,
      clock: { unixMs: () => NOW_MS },
    });
    this.report = recover({
      journal: this.journal,
      cursor,
      instances: this.#instances,
      intake: this.#intake,
      aggregator: this.aggregator,
      ledger: this.ledger,
      traces: this.#traces,
      nowUnixMs: NOW_MS + 5_000,
    });
  }

  /** Sends a frame as instance number `who`; answers the acknowledged sequence number. */
  take(who: number, sequence: number, payload: Buffer): number {
    const instance = this.#instances.greet({
      app: `app${who}`,
      instance: `${who}`.repeat(32),
      pid: who,
      startUnixMs: 0,
      runtime: "node",
      agentVersion: "1",
      firstUnacknowledged: 1,
    });
    let acknowledged = 0;
    this.#intake.receive(instance, [{ type: MessageType.spans, sequence, payload }], (last) => {
      acknowledged = last;
    });
    return acknowledged;
  }

  seal(): { counts: DrainedCounts; cursor: Cursor; keptTraces: number } {
    const sealed = this.journal.position;
    const replayFrom = this.aggregator.oldestOpenPosition ?? sealed;
    const open = this.aggregator.openAtSeal();
    const keptTraces = this.#traces.drain().length;
    const ledger = this.ledger.state(NOW_MS);
    return {
      counts: this.aggregator.drain(),
      cursor: { ...START, journal: { sealed, replayFrom, open }, ledger },
      keptTraces,
    };
  }

  /** What kill -9 leaves: the files. */
  die(): void {
    this.journal.close();
  }
}

type Row = Record<string, unknown>;

/** Adds up rows of the same key, as the collector does; so that one batch and several can be compared. */
function summed(counts: readonly DrainedCounts[]): Map<string, Row> {
  const rows = new Map<string, Row>();
  const add = (table: string, row: Row): void => {
    const isText = (value: unknown): boolean => typeof value === "string";
    const identity = Object.entries(row).filter(([name, value]) => isText(value) && name !== "traceId");
    const key = [table, row["tsSec"], row["status"], JSON.stringify(identity)].join(" ");
    const known = rows.get(key);
    if (known === undefined) rows.set(key, { ...row });
    else
      for (const [name, value] of Object.entries(row)) {
        if (name === "tsSec" || name === "status") continue;
        if (name === "maxUs") known[name] = Math.max(known[name] as number, value as number);
        else if (typeof value === "number") known[name] = (known[name] as number) + value;
        else if (name === "histogram")
          known[name] = mergeHistograms([known[name] as SparseHistogram, value as SparseHistogram]);
      }
  };
  for (const { actions, operations, errors, ledger } of counts) {
    for (const row of actions) add("action", rounded({ ...row }));
    for (const row of operations) add("operation", { ...row });
    for (const row of errors) add("error", { ...row, traceId: "" });
    for (const { tsSec, app, received, created } of ledger) add("ledger", { tsSec, app, received, created });
  }
  return rows;
}

/** The parts of the time are differences of large numbers: equal only but for the last digits of a sum. */
function rounded(row: Row): Row {
  for (const name of ["codeUs", "databaseUs", "cacheUs", "externalUs"])
    row[name] = Math.round(row[name] as number);
  return row;
}

test("crashes at any moment change no counter: what was sealed and what is replayed add up to an uninterrupted run", (t) => {
  const steps = fc.array(
    fc.constantFrom("frame", "frame", "frame", "seal", "crash", "crash after an unnoted seal"),
    {
      minLength: 5,
      maxLength: 60,
    },
  );
  const sizes = fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(plannedRequests, plannedRequests, sizes, steps, (first, second, frameSizes, plan) => {
      const writers = [new FrameWriter(), new FrameWriter()];
      const frames = [first, second]
        .flatMap((requests, who) =>
          cut(spansOf(requests, START_US), frameSizes).map((spans) => ({
            who,
            spans,
            at: spans[0]?.endUnixUs ?? 0,
          })),
        )
        .sort((a, b) => a.at - b.at)
        .map(({ who, spans }) => {
          const payload = (writers[who] as FrameWriter).payload(spans);
          return { who, payload, sequence: (writers[who] as FrameWriter).lastSequence };
        });

      const calm = new CountingRun(tempDir(t), START);
      for (const { who, sequence, payload } of frames) calm.take(who, sequence, payload);
      calm.aggregator.abandon(Number.POSITIVE_INFINITY, NOW_MS);
      const expected = summed([calm.seal().counts]);
      calm.die();

      const dir = tempDir(t);
      let cursor = START;
      let run = new CountingRun(dir, cursor);
      const sealed: DrainedCounts[] = [];
      let next = 0;
      const takeNext = (): void => {
        const frame = frames[next++];
        if (frame !== undefined) run.take(frame.who, frame.sequence, frame.payload);
      };
      for (const step of plan) {
        if (step === "frame") takeNext();
        else if (step === "seal") {
          const seal = run.seal();
          sealed.push(seal.counts);
          cursor = seal.cursor;
        } else {
          // Drained, but killed before the batch was written: as if nothing had been drained.
          if (step !== "crash") run.seal();
          run.die();
          run = new CountingRun(dir, cursor);
        }
      }
      while (next < frames.length) takeNext();
      run.aggregator.abandon(Number.POSITIVE_INFINITY, NOW_MS);
      sealed.push(run.seal().counts);
      run.die();
      // A plan without calls that end late has no "(unfinished)"; with them both runs give them up at the end.
      assert.deepEqual(summed(sealed), expected);
    }),
    { numRuns: 150 },
  );
});

function quickRequest(calls: number): PlannedRequest {
  const call: PlannedCall = { category: "database", offsetUs: 0, durationUs: 0, hasError: false, table: 0 };
  const root = { action: "GET /", isWeb: false, status: 200, hasError: false, startUs: 0, durationUs: 0 };
  return { ...root, calls: Array.from({ length: calls }, () => call) };
}

type Step = "frame" | "seal" | "give up and seal" | "crash";

/** A request that is given up in the middle of a frame, and begins again in it. */
const GIVEN_UP_WITHIN_A_FRAME: [PlannedRequest[], number[], number, Step[]] = [
  [
    {
      ...quickRequest(2),
      startUs: 1,
      durationUs: 1,
      calls: quickRequest(2).calls.map((call, i) => ({ ...call, durationUs: 1 - i })),
    },
    quickRequest(1),
    quickRequest(2),
    {
      ...quickRequest(1),
      durationUs: 2,
      calls: quickRequest(1).calls.map((call) => ({ ...call, durationUs: 1 })),
    },
  ],
  [2, 3, 3],
  1,
  [...Array<Step>(3).fill("frame"), "seal", ...Array<Step>(7).fill("frame"), "crash", "frame", "frame"],
];

test("requests that are given up, for their age or their number, are counted once, whenever the daemon dies", (t) => {
  const frame = "frame";
  const step = fc.constantFrom<Step>(frame, frame, frame, frame, "seal", "give up and seal", "crash");
  const steps = fc.array(step, { minLength: 10, maxLength: 80 });
  const sizes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(
      plannedRequests,
      sizes,
      fc.integer({ min: 1, max: 4 }),
      steps,
      (planned, cuts, limit, plan) => {
        const writer = new FrameWriter();
        const frames = cut(spansOf(planned, START_US), cuts).map((spans) => writer.payload(spans));
        const dir = tempDir(t);
        let cursor = START;
        let run = new CountingRun(dir, cursor, 2_000, limit);
        const sealed: DrainedCounts[] = [];
        let next = 0;
        const takeNext = (): void => {
          const payload = frames[next++];
          if (payload !== undefined) run.take(1, next, payload);
        };
        for (const action of plan) {
          if (action === "frame") takeNext();
          else if (action === "crash") {
            run.die();
            run = new CountingRun(dir, cursor, 2_000, limit);
          } else {
            const middle = (run.aggregator.oldestOpenPosition ?? 0) + 500;
            if (action === "give up and seal") run.aggregator.abandon(middle, NOW_MS);
            const seal = run.seal();
            sealed.push(seal.counts);
            cursor = seal.cursor;
          }
        }
        while (next < frames.length) takeNext();
        run.aggregator.abandon(Number.POSITIVE_INFINITY, NOW_MS);
        sealed.push(run.seal().counts);
        run.die();
        const calls = sealed.flatMap(({ operations }) => operations).reduce((sum, row) => sum + row.calls, 0);
        const requests = sealed.flatMap(({ actions }) => actions).reduce((sum, row) => sum + row.requests, 0);
        assert.equal(
          calls,
          planned.reduce((sum, request) => sum + request.calls.length, 0),
        );
        assert.equal(requests, planned.length);
      },
    ),
    { numRuns: 300, examples: [GIVEN_UP_WITHIN_A_FRAME] },
  );
});

function requestPayload(frames: FrameWriter, number: number): Buffer {
  const id = spanId(number);
  return frames.payload([
    { root: id, id, name: "GET /", kind: KIND.server, endUnixUs: START_US, durationUs: 5, attributes: {} },
  ]);
}

test("after a restart an agent is told what is journaled, and what it sends again is not counted again", (t) => {
  const dir = tempDir(t);
  const frames = new FrameWriter();
  const payloads = [1, 2, 3].map((number) => requestPayload(frames, number));
  const first = new CountingRun(dir, START);
  payloads.forEach((payload, i) => first.take(1, i + 1, payload));
  first.die();
  const second = new CountingRun(dir, START);
  assert.deepEqual(second.report, {
    framesFound: 3,
    framesReplayed: 3,
    unreadableBytes: 0,
    quarantinedBytes: 0,
  });
  assert.equal(second.take(1, 2, payloads[1] as Buffer), 3);
  assert.equal(second.take(1, 3, payloads[2] as Buffer), 3);
  assert.equal(second.take(1, 4, requestPayload(frames, 4)), 4);
  assert.equal(second.seal().counts.actions[0]?.requests, 4);
  second.die();
});

test("traces kept before the seal are not kept again", (t) => {
  const dir = tempDir(t);
  const frames = new FrameWriter();
  const first = new CountingRun(dir, START);
  first.take(1, 1, requestPayload(frames, 1));
  const { cursor, keptTraces } = first.seal();
  assert.equal(keptTraces, 1);
  first.die();
  const second = new CountingRun(dir, cursor);
  assert.equal(second.seal().keptTraces, 0);
  second.die();
});

test("a damaged segment does not keep the daemon from starting, and costs only what it held", (t) => {
  const dir = tempDir(t);
  const frames = new FrameWriter();
  const first = new CountingRun(dir, START, 300);
  for (let number = 1; number <= 30; number++) first.take(1, number, requestPayload(frames, number));
  first.die();
  const segments = readdirSync(dir).sort();
  assert.ok(segments.length > 5);
  writeFileSync(join(dir, segments[1] as string), "no journal at all");
  const third = join(dir, segments[2] as string);
  const bytes = readFileSync(third);
  bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) ^ 1;
  writeFileSync(third, bytes);
  const second = new CountingRun(dir, START, 300);
  const { requests } = second.seal().counts.actions[0] ?? {};
  assert.equal(requests, second.report.framesReplayed);
  assert.ok((requests ?? 0) >= 24 && (requests ?? 0) < 30, `${requests} requests`);
  assert.ok(second.report.unreadableBytes > 17);
  second.die();
});
