import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import {
  type AppEvent,
  encodeBye,
  encodeRuntime,
  MESSAGE_HEADER_BYTES,
  MessageType,
} from "@apm-daemon/protocol";
import type { AppInstance } from "../intake/instance-registry.ts";
import { FrameWriter, KIND, spanId } from "../testing/frame-writer.ts";
import { LoggedLines } from "../testing/logged-lines.ts";
import { BOOT_UNIX_MS, ProcFiles } from "../testing/proc-files.ts";
import { tempDir } from "../testing/temp-dir.ts";
import { BlackBox } from "./black-box.ts";

const PID = 4_242;
const TICKS = 100;
const STREAM = "s";

/** The black box over files of the test's own, a clock it turns, and frames it hands in. */
class Rig {
  readonly files: ProcFiles;
  readonly stateFile: string;
  readonly settled: string[] = [];
  nowMs: number = BOOT_UNIX_MS + 100_000;
  statementTexts: "shown" | "hidden" = "shown";
  box: BlackBox;
  readonly #frames = new Map<number, Buffer>();
  readonly #writer = new FrameWriter();

  constructor(t: TestContext) {
    this.files = new ProcFiles(t);
    this.stateFile = join(tempDir(t), "black-box.json");
    this.files.process(PID, TICKS);
    this.files.cgroupV2(PID, "/shop", 0);
    this.box = this.start();
  }

  /** A daemon over what the one before has left. */
  start(nextNumber = 1): BlackBox {
    this.box = new BlackBox({
      journal: {
        readFrame: (position) => {
          const frame = this.#frames.get(position);
          if (frame === undefined) throw new Error("gone");
          return frame;
        },
        endReading: () => undefined,
      },
      processes: {
        recent: () => ({ tsSec: [100], columns: { rssBytes: [63 * 1_048_576], cpuRatio: [0.5] } }),
      },
      stateFile: this.stateFile,
      cursor: { stream: STREAM, nextNumber },
      statementTexts: () => this.statementTexts,
      clock: { unixMs: () => this.nowMs, monoMs: () => this.nowMs },
      log: new LoggedLines().log,
      settle: (instance) => {
        this.settled.push(instance);
        return 3;
      },
      onEvent: () => undefined,
      procRoot: this.files.procRoot,
      cgroupRoot: this.files.cgroupRoot,
    });
    return this.box;
  }

  instance(changes: Partial<AppInstance> = {}): AppInstance {
    const startUnixMs = BOOT_UNIX_MS + TICKS * 10;
    const identity = {
      app: "shop",
      instance: "a".repeat(32),
      pid: PID,
      runtime: "node 20",
      startUnixMs,
      startTicks: null,
    };
    return { ...identity, ...changes } as AppInstance;
  }

  frame(source: AppInstance, type: number, message: Buffer): void {
    const position = this.#frames.size * 100;
    const payload = message.subarray(MESSAGE_HEADER_BYTES);
    this.#frames.set(position, payload);
    this.box.noteFrame(source, type, payload, position, this.nowMs);
  }

  /** A frame with one statement. */
  statement(source: AppInstance, text: string): void {
    const attributes = { "db.system.name": "postgresql", "db.query.text": text };
    const span = { root: spanId(1), id: spanId(2), name: text, kind: KIND.client, attributes };
    const message = this.#writer.message([{ ...span, endUnixUs: this.nowMs * 1_000, durationUs: 1_500 }]);
    this.frame(source, MessageType.spans, message);
  }

  runtime(source: AppInstance, action: string): void {
    const frame = {
      unixMs: this.nowMs,
      eventLoopDelayP99Ms: 7,
      eventLoopUtilizationRatio: 0.1,
      gcPauseMs: 0,
      heapUsedBytes: 1_000,
      heapTotalBytes: 2_000,
      spansCreated: 1,
      spansDropped: 0,
      spansFramed: 1,
      spansReported: 0,
      inFlight: action === "" ? [] : [{ action, traceId: "0".repeat(32), ageMs: 1_500 }],
    };
    this.frame(source, MessageType.runtime, encodeRuntime(this.#writer.nextSequence(), frame));
    this.box.noteRuntime(source, frame);
  }

  bye(
    source: AppInstance,
    exitCode: number | null,
    error?: { type: string; message: string; stack: string },
  ): void {
    const counts = { spansCreated: 1, spansFramed: 1, spansReported: 0 };
    const bye = { exitCode, ...counts, ...(error === undefined ? {} : { error }) };
    this.frame(source, MessageType.bye, encodeBye(this.#writer.nextSequence(), bye));
  }

  /** Time passes, second by second. */
  wait(seconds: number): void {
    for (let i = 0; i < seconds; i++) {
      this.nowMs += 1_000;
      this.box.tick();
    }
  }

  events(): AppEvent[] {
    return this.box.take(STREAM, 1);
  }
}

test("where statements stay on the host a report names its calls without them", (t) => {
  const rig = new Rig(t);
  rig.statementTexts = "hidden";
  const shop = rig.instance();
  rig.start().opened(shop);
  rig.statement(shop, "SELECT 1");
  rig.files.end(PID);
  rig.box.ended(shop, "closed");
  assert.deepEqual(
    rig.events().map(({ lastCalls }) => lastCalls.map(({ statement, system }) => [statement, system])),
    [[["", "postgresql"]]],
  );
});

test("an app that is killed: a report with its last requests, statements, seconds and the unknown time", (t) => {
  const rig = new Rig(t);
  const shop = rig.instance();
  rig.box.opened(shop);
  rig.statement(shop, "SELECT 1");
  rig.nowMs += 10;
  rig.statement(shop, "SELECT 2");
  rig.runtime(shop, "GET /slow");
  rig.nowMs += 400;
  rig.files.end(PID);
  rig.box.ended(shop, "closed");
  const [event, ...more] = rig.events();
  assert.ok(event);
  assert.deepEqual(more, []);
  assert.equal(event.kind, "crash");
  assert.match(event.title, /^killed or crashed: .* no out-of-memory kill was counted$/);
  assert.deepEqual(event.inFlight, [{ action: "GET /slow", traceId: "0".repeat(32), ageMs: 1_500 }]);
  assert.deepEqual(
    event.lastCalls.map(({ statement, durationUs }) => [statement, durationUs]),
    [
      ["SELECT 2", 1_500],
      ["SELECT 1", 1_500],
    ],
  );
  assert.deepEqual(event.curve.rssBytes, [63 * 1_048_576]);
  assert.deepEqual(event.curve.eventLoopDelayP99Ms, [null]);
  assert.equal(event.crashWindowMs, 400);
  assert.equal(event.spansLostAtLeast, 3, "as the ledger booked it");
  assert.deepEqual(rig.settled, [shop.instance]);
  assert.equal(event.tsMs, rig.nowMs);
});

test("killed by the kernel: its cgroup has counted one more kill than when it was looked at before", (t) => {
  const rig = new Rig(t);
  const shop = rig.instance();
  rig.files.cgroupV2(PID, "/shop", 4, 7);
  rig.box.opened(shop);
  rig.wait(11);
  rig.files.cgroupV2(PID, "/shop", 5, 9);
  rig.files.end(PID);
  rig.box.ended(shop, "closed");
  const [event] = rig.events();
  assert.match(
    event?.title ?? "",
    /^killed by the kernel: out of memory in its cgroup \(limit 64 MiB, RSS 63 MiB/,
  );
  assert.equal(event?.evidence.oomKills, 1);
  assert.equal(event?.evidence.memoryLimitHits, 2);
});

test("kills that were counted before the last look are not this process's", (t) => {
  const rig = new Rig(t);
  const shop = rig.instance();
  rig.box.opened(shop);
  rig.files.cgroupV2(PID, "/shop", 1);
  rig.wait(11);
  rig.files.end(PID);
  rig.box.ended(shop, "closed");
  assert.equal(rig.events()[0]?.evidence.oomKills, 0);
});

test("a process that lives on is no death, however its connection ended; nor is another one behind its pid", (t) => {
  for (const end of ["closed", "refused"] as const) {
    const rig = new Rig(t);
    const shop = rig.instance();
    rig.box.opened(shop);
    rig.box.ended(shop, end);
    rig.wait(5);
    rig.box.opened(shop);
    rig.box.ended(shop, end);
    rig.wait(59);
    assert.deepEqual(rig.events(), []);
    rig.files.process(PID, TICKS + 1);
    rig.wait(1);
    assert.equal(rig.events().length, 1, "the pid is another process's now");
  }
});

test("a process that ends while it is looked at tells its signal; a stop signal is an event only with requests in flight", (t) => {
  for (const [signal, inFlight, title] of [
    [9, "", /^killed by SIGKILL: /],
    [11, "", /^crashed: SIGSEGV$/],
    [15, "", null],
    [15, "GET /slow", /^stopped by SIGTERM with requests in flight$/],
  ] as const) {
    const rig = new Rig(t);
    const shop = rig.instance();
    rig.box.opened(shop);
    rig.runtime(shop, inFlight);
    rig.files.process(PID, TICKS, "Z", signal);
    rig.box.ended(shop, "closed");
    const [event] = rig.events();
    if (title === null) assert.equal(event, undefined);
    else assert.match(event?.title ?? "", title);
    assert.deepEqual(rig.settled, [shop.instance], "its spans are lost either way");
  }
});

test("a process that cannot be looked at has ended when it does not come back: after 30 s, after 90 s when refused", (t) => {
  for (const [end, seconds] of [
    ["closed", 30],
    ["refused", 90],
  ] as const) {
    const rig = new Rig(t);
    const shop = rig.instance({ pid: 7 });
    rig.box.opened(shop);
    rig.box.ended(shop, end);
    rig.wait(seconds - 1);
    assert.deepEqual(rig.events(), []);
    rig.box.opened(shop);
    rig.box.ended(shop, end);
    rig.wait(seconds - 1);
    assert.deepEqual(rig.events(), []);
    rig.wait(1);
    assert.equal(rig.events()[0]?.kind, "crash");
  }
});

test("a process that the kernel has proven is looked at whatever start the app tells", (t) => {
  const rig = new Rig(t);
  const shop = rig.instance({ startTicks: TICKS, startUnixMs: BOOT_UNIX_MS + 80_000_000 });
  rig.box.opened(shop);
  rig.files.cgroupV2(PID, "/shop", 1, 1);
  rig.files.end(PID);
  rig.box.ended(shop, "closed");
  assert.match(rig.events()[0]?.title ?? "", /^killed by the kernel: out of memory in its cgroup/);
});

test("a goodbye: code 0 and a stopped agent are no event, another code is one, with what was thrown", (t) => {
  const rig = new Rig(t);
  const shop = rig.instance();
  for (const exitCode of [0, null]) {
    rig.box.opened(shop);
    rig.bye(shop, exitCode);
    rig.box.ended(shop, "bye");
  }
  rig.wait(100);
  assert.deepEqual(rig.events(), []);
  rig.box.opened(shop);
  rig.bye(shop, 1, { type: "TypeError", message: "x is undefined", stack: "    at f (app.js:1:1)" });
  rig.box.ended(shop, "bye");
  const [event] = rig.events();
  assert.equal(event?.title, "exited with code 1: TypeError: x is undefined");
  assert.equal(event?.exitCode, 1);
  assert.equal(event?.crashWindowMs, 0);
});

test("after a restart: who lives comes back, who has gone vanished, once", async (t) => {
  const rig = new Rig(t);
  const shop = rig.instance();
  const other = rig.instance({ instance: "b".repeat(32), app: "other", pid: PID + 1 });
  rig.files.process(PID + 1, TICKS);
  rig.box.opened(shop);
  rig.box.opened(other);
  await rig.box.stop();
  rig.box.ended(shop, "closed"); // The daemon's own doing.
  rig.box.ended(other, "closed");
  assert.deepEqual(rig.events(), []);

  rig.files.end(PID);
  rig.nowMs += 60_000;
  const lastHeardMs = rig.nowMs - 30_000;
  rig.start();
  rig.box.noteFrame(shop, MessageType.runtime, Buffer.alloc(8), 9_999, lastHeardMs); // From the journal.
  const box = rig.box;
  box.start();
  t.after(() => box.stop());
  rig.wait(2);
  assert.deepEqual(rig.events(), [], "its last words may still be in the socket's queue");
  rig.wait(1);
  const [event, ...more] = rig.events();
  assert.deepEqual(more, []);
  assert.equal(event?.kind, "vanished");
  assert.equal(event?.tsMs, lastHeardMs);
  assert.equal(event?.evidence.connection, "none");
  await rig.box.saved();
  rig.box.sealed();
  await rig.box.saved();
  rig.box.opened(other);
  rig.wait(100);
  assert.deepEqual(rig.events(), []);

  const third = rig.start(2);
  third.start();
  t.after(() => third.stop());
  rig.wait(30);
  assert.deepEqual(rig.events(), []);
});

test("a goodbye that only the journal has: the next daemon believes it", async (t) => {
  for (const exitCode of [0, 3]) {
    const rig = new Rig(t);
    const shop = rig.instance();
    rig.box.opened(shop);
    await rig.box.saved();
    rig.start(); // The daemon before was killed here.
    rig.bye(shop, exitCode);
    rig.files.end(PID);
    rig.wait(5);
    const [event] = rig.events();
    assert.equal(event?.title, exitCode === 0 ? undefined : "exited with code 3");
  }
});

test("an event is in the file before anybody is told of it, so that a kill in the next moment costs nothing", (t) => {
  const rig = new Rig(t);
  const shop = rig.instance();
  rig.box.opened(shop);
  rig.files.end(PID);
  rig.box.ended(shop, "closed");
  const [made] = rig.events();
  rig.start();
  assert.deepEqual(rig.events(), [made], "taken for a batch that was never written");
  rig.start(2);
  assert.deepEqual(rig.events(), [], "taken for a batch that was");
  rig.wait(100);
  assert.deepEqual(rig.events(), []);
});

test("a folder that refuses the file costs the memory, not the report", async (t) => {
  const rig = new Rig(t);
  rmSync(dirname(rig.stateFile), { recursive: true });
  const shop = rig.instance();
  rig.box.opened(shop);
  rig.files.end(PID);
  rig.box.ended(shop, "closed");
  assert.equal(rig.events().length, 1);
  await rig.box.saved();
  await rig.box.stop();
});

test("after a restart of the host nobody is waited for, and the report says why", async (t) => {
  const rig = new Rig(t);
  const shop = rig.instance();
  rig.box.opened(shop);
  await rig.box.stop();
  rig.files.write("proc/sys/kernel/random/boot_id", "boot-2\n");
  rig.start();
  rig.wait(1);
  rig.wait(5);
  const [event] = rig.events();
  assert.equal(event?.title, "ended while the daemon was away: the host was restarted meanwhile");
});

test("an app that ends again and again: ten whole reports in ten minutes, the others say how it ended", (t) => {
  const rig = new Rig(t);
  for (let i = 0; i < 12; i++) {
    const shop = rig.instance({ instance: String(i) });
    rig.box.opened(shop);
    rig.statement(shop, "SELECT 1");
    rig.bye(shop, 1);
    rig.box.ended(shop, "bye");
  }
  const events = rig.events();
  assert.equal(events.length, 12);
  assert.deepEqual(
    events.map(({ lastCalls }) => lastCalls.length),
    [...Array.from({ length: 10 }, () => 1), 0, 0],
  );
});

test("what the journal's ring has lost, or cannot be read, is missing from the report, which is made all the same", (t) => {
  const rig = new Rig(t);
  const shop = rig.instance();
  rig.box.opened(shop);
  rig.box.noteFrame(shop, MessageType.spans, Buffer.alloc(20), 77_777, rig.nowMs);
  rig.frame(shop, MessageType.spans, Buffer.alloc(40, 255));
  rig.frame(shop, MessageType.bye, Buffer.from("no JSON at all"));
  rig.files.end(PID);
  rig.box.ended(shop, "closed");
  assert.deepEqual(rig.events()[0]?.lastCalls, []);
});

test("a state file that another release wrote, or a disk has damaged, costs the memory, not the start", (t) => {
  const rig = new Rig(t);
  for (const text of ["", "{", "[]", '{"version":2}', '{"version":1,"watched":{}}']) {
    writeFileSync(rig.stateFile, text);
    rig.start();
    rig.wait(5);
    assert.deepEqual(rig.events(), [], text);
  }
});
