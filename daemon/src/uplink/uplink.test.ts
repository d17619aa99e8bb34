import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { ActionRow, UplinkMessage } from "@apm-daemon/protocol";
import { Outbox } from "../outbox/outbox.ts";
import { CollectorPeer } from "../testing/collector-peer.ts";
import { LoggedLines } from "../testing/logged-lines.ts";
import { STREAM, sampleBatch, sampleHeader } from "../testing/sample-header.ts";
import { type Sending, sendingOf } from "../testing/sending-of.ts";
import { tempDir } from "../testing/temp-dir.ts";
import { until } from "../testing/until.ts";
import { Uplink, type UplinkOptions } from "./uplink.ts";

class Setting {
  readonly collector: CollectorPeer;
  readonly dir: string;
  readonly outbox: Outbox;
  readonly logged: LoggedLines = new LoggedLines();
  readonly sending: Sending;
  readonly uplink: Uplink;

  private constructor(t: TestContext, collector: CollectorPeer, options: Partial<UplinkOptions>) {
    this.collector = collector;
    this.dir = tempDir(t);
    this.outbox = new Outbox({ dir: this.dir, capBytes: 1e9 });
    this.sending = sendingOf(t, this.outbox);
    this.uplink = new Uplink({
      url: collector.url,
      readKey: () => "a-license-key-of-a-test",
      host: sampleHeader(1).host,
      queue: this.sending.queue,
      refused: this.sending.refused,
      position: () => ({ stream: STREAM, nextNumber: 50 }),
      log: this.logged.log,
      clock: { unixMs: () => 123 },
      random: () => 0.01,
      ...options,
    });
  }

  static async make(t: TestContext, options: Partial<UplinkOptions> = {}): Promise<Setting> {
    const setting = new Setting(t, await CollectorPeer.start(t), options);
    t.after(() => setting.uplink.stop(0));
    return setting;
  }

  async put(...numbers: number[]): Promise<void> {
    for (const number of numbers) {
      const bytes = sampleBatch(number);
      await this.outbox.write(number, bytes);
      this.outbox.offer(number, bytes.length, number);
    }
  }

  get committed(): number[] {
    return [...this.collector.batches.values()].map(({ header }) => header.number).sort((a, b) => a - b);
  }

  quarantined(): string[] {
    return readdirSync(join(this.dir, "quarantine")).map((name) => name.slice(0, 12));
  }
}

const numbersTo = (last: number): number[] => Array.from({ length: last }, (_, i) => i + 1);

function nack(number: number, changes: Partial<UplinkMessage & { type: "nack" }> = {}): UplinkMessage {
  return {
    type: "nack",
    stream: STREAM,
    number,
    code: "STORE_UNAVAILABLE",
    message: "the store is busy",
    permanent: false,
    retryAfterMs: 250,
    ...changes,
  };
}

test("it introduces the host with its key, sends what waits, and deletes what is committed", async (t) => {
  const setting = await Setting.make(t);
  const { uplink, outbox, collector } = setting;
  await setting.put(...numbersTo(20));
  uplink.start();
  await until("all is committed", () => outbox.count === 0);
  assert.deepEqual(setting.committed, numbersTo(20));
  assert.equal(collector.received.length, 20);
  assert.deepEqual(collector.hellos, [
    { type: "hello", version: 1, host: sampleHeader(1).host, stream: STREAM, nextNumber: 50 },
  ]);
  assert.deepEqual(collector.keys, ["Bearer a-license-key-of-a-test"]);
  assert.deepEqual([uplink.state, uplink.reason], ["connected", ""]);
  assert.deepEqual([uplink.counts.acked, uplink.lastAckUnixMs], [20, 123]);
  assert.deepEqual(readdirSync(setting.dir), []);
  await setting.put(21);
  uplink.notify();
  await until("the next one is committed", () => outbox.count === 0);
});

test("without a key none is shown", async (t) => {
  const { uplink, collector } = await Setting.make(t, { readKey: () => null });
  uplink.start();
  await until("it is connected", () => uplink.state === "connected");
  assert.deepEqual(collector.keys, [""]);
});

test("the newest go first, and a third of the bytes is the oldest's", async (t) => {
  const setting = await Setting.make(t);
  await setting.put(...numbersTo(12));
  setting.uplink.start();
  await until("all is committed", () => setting.outbox.count === 0);
  const { received } = setting.collector;
  assert.equal(received[0], 12);
  const old = received.filter((number) => number <= 4);
  assert.deepEqual(
    [old, received.filter((number) => number > 5)],
    [
      [1, 2, 3, 4],
      [12, 11, 10, 9, 8, 7, 6],
    ],
  );
  for (let i = 0; i <= 7; i++)
    assert.ok(
      received.slice(i, i + 3).some((number) => number <= 4),
      `${received.join(" ")} at ${i}`,
    );
});

test("a collector that commits slowly gets eight batches of the backlog, and two fresh ones", async (t) => {
  const setting = await Setting.make(t);
  const { collector, uplink, outbox } = setting;
  collector.answer = () => [];
  await setting.put(...numbersTo(11));
  uplink.start();
  await until("eight have come", () => collector.received.length === 8);
  for (const number of [12, 13, 14]) {
    await setting.put(number);
    uplink.notify();
  }
  await until("two fresh ones have come", () => collector.received.length === 10);
  await collector.roundTrip();
  assert.deepEqual(collector.received.slice(8), [12, 13]);
  collector.send({ type: "ack", stream: STREAM, number: 11 });
  await until("the next has come", () => collector.received.length === 11);
  assert.equal(collector.received.at(-1), 14);
  assert.equal(outbox.count, 13);
});

test("of the backlog only one batch is on the line at a time; what is fresh goes at once", async (t) => {
  const setting = await Setting.make(t);
  const { collector, uplink } = setting;
  collector.answersPings = false;
  collector.answer = () => [];
  await setting.put(...numbersTo(5));
  uplink.start();
  await until("the newest has come", () => collector.received.length === 1);
  await collector.roundTrip();
  await setting.put(6);
  uplink.notify();
  await until("the fresh one has come", () => collector.received.length === 2);
  await collector.roundTrip();
  assert.deepEqual(collector.received, [5, 6]);
  assert.equal(uplink.inFlightBytes, sampleBatch(5).length + sampleBatch(6).length);
  collector.answersPings = true;
  await until("the backlog follows", () => collector.received.length === 6);
});

test("what is cut off before its acknowledgement is sent again, and everything arrives", async (t) => {
  const setting = await Setting.make(t);
  const { collector, uplink, outbox } = setting;
  await setting.put(...numbersTo(30));
  let arrivals = 0;
  collector.answer = (identity, bytes) => {
    const answer = collector.commit(identity, bytes);
    // Committed, but the word of it gets lost.
    if (++arrivals % 7 !== 0) return answer;
    collector.cut();
    return [];
  };
  uplink.start();
  await until("all is committed", () => outbox.count === 0);
  assert.deepEqual(setting.committed, numbersTo(30));
  assert.ok(uplink.counts.connects > 3, `${uplink.counts.connects} connections`);
  assert.ok(collector.received.length > 30);
});

test("a batch that the collector can never use is put aside, the others go on", async (t) => {
  const setting = await Setting.make(t);
  const { collector, uplink, outbox } = setting;
  await setting.put(...numbersTo(5));
  collector.answer = (identity, bytes) =>
    identity.number === 3
      ? [nack(3, { permanent: true, code: "BATCH_MALFORMED", message: "rows[2] is absurd" })]
      : collector.commit(identity, bytes);
  uplink.start();
  await until("the outbox is empty", () => outbox.count === 0);
  assert.deepEqual(setting.committed, [1, 2, 4, 5]);
  assert.equal(setting.sending.deadLetters.count, 1);
  assert.deepEqual(
    setting.sending.lost.map(({ header, code }) => [header?.number, code]),
    [[3, "BATCH_MALFORMED"]],
  );
  assert.equal(uplink.counts.nacked, 1);
  assert.ok(setting.sending.logged.sentences.some((sentence) => sentence.includes("rows[2] is absurd")));
});

test("a batch refused for now is sent again after the pause, during which none is sent", async (t) => {
  const setting = await Setting.make(t);
  const { collector, uplink, outbox } = setting;
  await setting.put(1);
  let refusals = 0;
  collector.answer = (identity, bytes) => (++refusals <= 2 ? [nack(1)] : collector.commit(identity, bytes));
  uplink.start();
  await until("it was refused", () => uplink.counts.nacked === 1);
  assert.equal(uplink.reason, "the store is busy");
  uplink.notify();
  assert.equal(collector.received.length, 1);
  await until("it is committed", () => outbox.count === 0);
  assert.deepEqual(collector.received, [1, 1, 1]);
  assert.equal(uplink.reason, "");
});

test("a pause that is no number, or none, does not become a storm", async (t) => {
  for (const retryAfterMs of [0, -5, null as unknown as number, "1" as unknown as number]) {
    const setting = await Setting.make(t);
    const { collector, uplink } = setting;
    await setting.put(1);
    collector.answer = () => [nack(1, { retryAfterMs })];
    uplink.start();
    await until("it was refused", () => uplink.counts.nacked === 1);
    await collector.roundTrip();
    assert.equal(collector.received.length, 1, "not sent again at once");
    await until("it is sent again", () => collector.received.length === 2);
    await uplink.stop(0);
  }
});

test("acknowledgements of another stream, of what was not sent, and nacks of another stream change nothing", async (t) => {
  const setting = await Setting.make(t);
  const { collector, uplink, outbox } = setting;
  await setting.put(1);
  const other = "00000000-0000-4000-8000-000000000000";
  collector.answer = () => [
    { type: "ack", stream: other, number: 1 },
    { type: "ack", stream: STREAM, number: 2 },
    nack(1, { stream: other, permanent: true }),
    { type: "settings", revision: "x", all: {}, apps: [] },
  ];
  uplink.start();
  await until("the batch has come", () => collector.received.length === 1);
  collector.send({ type: "ack", stream: STREAM, number: 7 });
  await setting.put(2);
  uplink.notify();
  await until("the next has come, so the answers were read", () => collector.received.length === 2);
  collector.send({ type: "ack", stream: STREAM, number: 2 });
  await until("the second is deleted", () => outbox.count === 1);
  assert.deepEqual(outbox.numbers(), [1]);
  assert.equal(uplink.counts.nacked, 0);
});

test("what is no message, or said twice, ends nothing", async (t) => {
  const setting = await Setting.make(t);
  const { collector, uplink, outbox } = setting;
  const [welcome] = collector.greeting;
  collector.greeting = [
    "{",
    "null",
    "5",
    "[]",
    '{"type":"toString"}',
    '{"type":"ack"}',
    welcome ?? "",
    welcome ?? "",
  ];
  await setting.put(1);
  uplink.start();
  await until("the batch is committed", () => outbox.count === 0);
  assert.ok(setting.logged.sentences.some((sentence) => sentence.includes("not JSON")));
});

test("a refused key, and an address that is no collector's, are told in a sentence; it tries on", async (t) => {
  const setting = await Setting.make(t);
  const { collector, uplink } = setting;
  collector.refusal = 401;
  uplink.start();
  await until("it is refused", () => uplink.state === "refused");
  assert.match(uplink.reason, /refuses the license key: make one there with "apm key create NAME"/);
  collector.refusal = 404;
  await until("it tried again", () => uplink.reason.includes("HTTP status 404"));
  collector.refusal = 0;
  await until("it is connected", () => uplink.state === "connected");
  assert.equal(setting.logged.sentences.filter((sentence) => sentence.includes("license key")).length, 1);
});

test("a key that cannot be read is told, and read anew for the next try", async (t) => {
  let key: string | null = null;
  const setting = await Setting.make(t, {
    readKey: () => {
      if (key === null) throw new Error("the license key file cannot be read");
      return key;
    },
  });
  setting.uplink.start();
  await until("it says so", () => setting.uplink.state === "refused");
  assert.equal(setting.uplink.reason, "the license key file cannot be read");
  key = "now-there-is-a-key";
  await until("it is connected", () => setting.uplink.state === "connected");
  assert.deepEqual(setting.collector.keys, ["Bearer now-there-is-a-key"]);
});

test("a collector that is not there is told, and found when it comes", async (t) => {
  const gone = await CollectorPeer.start(t);
  const { url } = gone;
  gone.stop();
  const setting = await Setting.make(t, { url });
  setting.uplink.start();
  await until("it says so", () => setting.uplink.reason.includes("ECONNREFUSED"));
  assert.equal(setting.uplink.reason, `cannot reach the collector at ${url}: ECONNREFUSED`);
});

test("batches of another stream are sent as they are; one under a wrong number is put aside", async (t) => {
  const setting = await Setting.make(t);
  const { collector, uplink, outbox } = setting;
  await setting.put(1);
  const foreign = sampleBatch(2, { stream: "00000000-0000-4000-8000-000000000000" });
  for (const [number, bytes] of [
    [2, foreign],
    [3, sampleBatch(4)],
  ] as const) {
    await outbox.write(number, bytes);
    outbox.offer(number, bytes.length, 0);
  }
  uplink.start();
  await until("the outbox is empty", () => outbox.count === 0);
  assert.deepEqual(setting.committed, [1, 2]);
  assert.deepEqual(
    collector.received.sort((a, b) => a - b),
    [1, 2],
  );
  assert.deepEqual(setting.quarantined(), ["000000000003"]);
});

test("a batch that cannot be read for the moment waits, and does not keep the loop busy", async (t) => {
  const setting = await Setting.make(t);
  const { uplink, outbox, dir } = setting;
  await setting.put(1);
  const file = join(dir, "000000000001.batch");
  rmSync(file);
  mkdirSync(file);
  uplink.start();
  await until("it says so", () => uplink.reason.includes("EISDIR"));
  assert.equal(outbox.count, 1);
  rmSync(file, { recursive: true });
  writeFileSync(file, sampleBatch(1));
  await until("it is committed", () => outbox.count === 0);
});

test("a batch that the cap deleted while it was on its way is acknowledged without harm", async (t) => {
  const setting = await Setting.make(t);
  const { collector, uplink, outbox } = setting;
  collector.answer = () => [];
  await setting.put(1);
  uplink.start();
  await until("it has come", () => collector.received.length === 1);
  outbox.delete(1);
  collector.send({ type: "ack", stream: STREAM, number: 1 });
  await until("the acknowledgement is read", () => uplink.counts.acked === 1);
});

test("stop sends what waits, then hangs up, and does not come back", async (t) => {
  const setting = await Setting.make(t);
  const { collector, uplink, outbox } = setting;
  uplink.start();
  await until("it is connected", () => uplink.state === "connected");
  await setting.put(...numbersTo(10));
  uplink.notify();
  await uplink.stop(20_000);
  assert.equal(outbox.count, 0);
  await until("the collector sees it go", () => collector.connections === 0);
  assert.equal(collector.hellos.length, 1);
});

test("stop does not wait for a collector that says nothing longer than it was told to", async (t) => {
  const setting = await Setting.make(t);
  const { collector, uplink, outbox } = setting;
  collector.answer = () => [];
  await setting.put(1);
  uplink.start();
  await until("it has come", () => collector.received.length === 1);
  await uplink.stop(50);
  assert.equal(outbox.count, 1);
});

test("each pause ends by itself", async (t) => {
  const setting = await Setting.make(t, { random: () => 0.0099 });
  const { collector, uplink, outbox } = setting;
  await setting.put(1);
  let times = 0;
  collector.answer = (identity, bytes) =>
    ++times <= 20 ? [nack(1, { retryAfterMs: 0 })] : collector.commit(identity, bytes);
  uplink.start();
  await until("it is committed", () => outbox.count === 0);
});

test("a batch that was damaged on the way is sent once more, then put aside", async (t) => {
  const setting = await Setting.make(t);
  const { collector, uplink, outbox } = setting;
  await setting.put(1, 2);
  let damaged = 0;
  collector.answer = (identity, bytes) => {
    const isDamaged = identity.number === 1 || (identity.number === 2 && ++damaged === 1);
    return isDamaged
      ? [nack(identity.number, { permanent: true, code: "BATCH_CORRUPT", message: "checksum" })]
      : collector.commit(identity, bytes);
  };
  uplink.start();
  await until("both are out of the way", () => outbox.count === 0);
  assert.deepEqual(setting.committed, [2]);
  assert.equal(collector.received.filter((number) => number === 1).length, 2);
  assert.deepEqual(
    setting.sending.lost.map(({ header, code }) => [header?.number, code]),
    [[1, "BATCH_CORRUPT"]],
  );
});

test("a peer that takes shorter messages only gets the batch in parts", async (t) => {
  const setting = await Setting.make(t);
  const { collector, uplink, sending } = setting;
  const actions = Array.from({ length: 64 }, (_, i) => ({ action: `${i} ${"x".repeat(i)}` }) as ActionRow);
  const bytes = sampleBatch(1, { actions });
  await setting.outbox.write(1, bytes);
  setting.outbox.offer(1, bytes.length, 1);
  collector.maxMessageBytes = bytes.length - 100;
  uplink.start();
  await until("all is committed", () => sending.queue.count === 0);
  const stored = [...collector.batches.values()].flatMap(({ header }) => header.actions);
  assert.deepEqual(new Set(stored.map(({ action }) => action)), new Set(actions.map(({ action }) => action)));
  assert.deepEqual([stored.length, sending.deadLetters.count], [64, 0]);
});

test("a peer that reads nothing does not fill the memory", async (t) => {
  const setting = await Setting.make(t);
  const { collector, uplink } = setting;
  const welcome = collector.greeting;
  collector.greeting = [];
  const text = randomBytes(3_000_000).toString("hex");
  const bytes = sampleBatch(1, { statements: [{ fingerprint: "", app: "", system: "", text }] });
  uplink.start();
  await until("it is connected", () => collector.hellos.length === 1);
  for (const message of welcome) collector.send(message);
  await until("it is welcome", () => uplink.state === "connected");
  collector.pause();
  for (let number = 1; number <= 12; number++) {
    const batch = sampleBatch(number, { statements: [{ fingerprint: "", app: "", system: "", text }] });
    await setting.outbox.write(number, batch);
    setting.outbox.offer(number, batch.length, number);
    uplink.notify();
    assert.ok(uplink.inFlightBytes <= 16 * 1_048_576, `${uplink.inFlightBytes} in flight`);
    assert.ok(uplink.bufferedBytes <= 16 * 1_048_576 + 1_000, `${uplink.bufferedBytes} in the buffer`);
  }
  assert.ok(uplink.inFlightBytes > 16 * 1_048_576 - bytes.length, "the window is used");
  assert.ok(uplink.bufferedBytes > 0);
});

test("a collector that asks to come back later is waited for", async (t) => {
  const setting = await Setting.make(t);
  const { collector, uplink } = setting;
  collector.refusal = 503;
  collector.retryAfter = "300";
  uplink.start();
  await until("it was sent away", () => uplink.reason !== "not connected yet");
  assert.equal(uplink.state, "waiting");
  assert.match(uplink.reason, /takes no connection for now \(HTTP status 503\)/);
  assert.match(setting.logged.lines.at(-1) ?? "", /"nextTryMs":30000\d/);
});

test("a daemon that was told of a large fleet takes its time to come back", async (t) => {
  const setting = await Setting.make(t, { random: () => 0.5 });
  const { collector, uplink } = setting;
  uplink.start();
  await until("it is connected", () => uplink.state === "connected");
  collector.send({ type: "fleet", reconnectSpreadMs: 8_000 });
  await collector.roundTrip();
  collector.cut();
  await until("it noticed", () => uplink.state === "waiting");
  assert.match(setting.logged.lines.at(-1) ?? "", /"nextTryMs":4000\b/);
});
