import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import {
  type BatchHeader,
  MAX_UPLINK_MESSAGE_BYTES,
  type UplinkAck,
  type UplinkNack,
} from "@apm-daemon/protocol";
import { KeyStore } from "../key-store.ts";
import { HandUplink, refusedUpgrade } from "../testing/hand-uplink.ts";
import { RunningCollector } from "../testing/running-collector.ts";
import { encoded, sampleHeader, sampleHost, sampleRequests } from "../testing/sample-batch.ts";

const SENTENCE = /^[^\n]{20,}$/;

describe("an uplink", () => {
  let collector: RunningCollector;
  before(async () => {
    collector = await RunningCollector.start();
  });
  after(() => collector.end());

  const requestsOf = async (app: string): Promise<number | undefined> => {
    const { body } = await collector.get<{ apps: { app: string; requests: number }[] }>("apps");
    return body.apps.find((entry) => entry.app === app)?.requests;
  };

  test("is refused without a key, with a wrong one and with a revoked one", async () => {
    const keys = new KeyStore(collector.stateDir);
    const revoked = keys.create("revoked");
    keys.revoke("revoked");
    for (const headers of [
      undefined,
      { authorization: "Bearer " },
      { authorization: `Bearer ${collector.key}x` },
      { authorization: `Basic ${collector.key}` },
      { authorization: `Bearer ${revoked.key}` },
    ]) {
      const { status, body } = await refusedUpgrade(collector.url, headers ? { headers } : {});
      assert.equal(status, 401, body);
      assert.match(body.trim(), SENTENCE);
      assert.ok(!body.includes(collector.key));
    }
    assert.ok(!collector.complaints.join("").includes(collector.key), "a key is never logged");
  });

  test("is refused when it offers another subprotocol, and told which one is spoken", async () => {
    const headers = { authorization: `Bearer ${collector.key}` };
    for (const subprotocol of ["apm-uplink.v99", "chat"]) {
      const { status, body } = await refusedUpgrade(collector.url, { subprotocol, headers });
      assert.equal(status, 400);
      assert.match(body, /apm-uplink\.v1/);
    }
    assert.equal((await refusedUpgrade(collector.url, { path: "/other", headers })).status, 404);
  });

  test("learns at the hello which batches are committed", async () => {
    const stream = randomUUID();
    const uplink = await HandUplink.open(collector.url, collector.key);
    assert.deepEqual(await uplink.hello(stream), {
      type: "welcome",
      version: 1,
      collectorVersion: "0.1.0-test",
      lastNumber: 0,
      codecs: ["gzip", "none"],
      reconnectSpreadMs: 500,
    });
    await uplink.deliver(sampleHeader({ stream, number: 7 }));
    await uplink.close();
    const again = await HandUplink.open(collector.url, collector.key);
    assert.equal((await again.hello(stream)).lastNumber, 7);
    await again.close();
  });

  test("is closed with the reason when it does not begin with a hello", async () => {
    for (const first of [
      "",
      "{",
      "[]",
      '{"type":"hello"}',
      '{"type":"hello","version":2}',
      encoded(sampleHeader()),
    ]) {
      const uplink = await HandUplink.open(collector.url, collector.key);
      uplink.socket.send(first);
      const [code, reason] = (await once(uplink.socket, "close")) as [number, Buffer];
      assert.equal(code, 1002);
      assert.match(reason.toString(), /hello/);
    }
  });

  test("replays of a batch count once, however often and on however many connections they come", async () => {
    const batch = encoded(sampleHeader({ actions: [sampleRequests([1, 2, 3], { app: "replayed" })] }));
    const uplinks = await Promise.all([collector.uplink(), collector.uplink()]);
    for (let i = 0; i < 5; i++) for (const { socket } of uplinks) socket.send(batch);
    for (let i = 0; i < 5; i++) for (const uplink of uplinks) assert.equal((await uplink.next()).type, "ack");
    assert.equal((await uplinks[0]?.deliver(batch))?.type, "ack");
    assert.equal(await requestsOf("replayed"), 3);
    for (const uplink of uplinks) await uplink.close();
  });

  test("garbage gets a permanent nack; the batches around it are stored and the connection serves on", async () => {
    const uplink = await collector.uplink();
    const good = (): Buffer =>
      encoded(sampleHeader({ actions: [sampleRequests([1_000], { app: "beside garbage" })] }));
    const flipped = good();
    flipped[flipped.length - 9] = (flipped[flipped.length - 9] ?? 0) ^ 1;
    const otherVersion = good();
    otherVersion[4] = 9;
    const unknownCodec = good();
    unknownCodec[5] = 7;
    const garbage: [Buffer, UplinkNack["code"]][] = [
      [Buffer.alloc(0), "BATCH_MALFORMED"],
      [Buffer.from("not a batch"), "BATCH_MALFORMED"],
      [noise(65_536), "BATCH_MALFORMED"],
      [good().subarray(0, 60), "BATCH_CORRUPT"],
      [flipped, "BATCH_CORRUPT"],
      [otherVersion, "BATCH_MALFORMED"],
      [unknownCodec, "CODEC_UNSUPPORTED"],
    ];
    for (const [bytes, code] of garbage) {
      uplink.socket.send(good());
      uplink.socket.send(bytes);
      uplink.socket.send(good());
      const answers = [await uplink.next(), await uplink.next(), await uplink.next()] as (
        | UplinkAck
        | UplinkNack
      )[];
      const nack = answers.find((answer) => answer.type === "nack");
      assert.equal(nack?.code, code);
      assert.equal(nack.permanent, true);
      assert.match(nack.message, SENTENCE);
      assert.equal(answers.filter((answer) => answer.type === "ack").length, 2);
    }
    assert.equal(await requestsOf("beside garbage"), 2 * garbage.length);
    await uplink.close();
  });

  test("a header that breaks the rules is refused whole, with the place", async () => {
    const uplink = await collector.uplink();
    const row = sampleRequests([1_000], { app: "refused" });
    const seconds = { tsSec: [1, 2], columns: { load1: [1] } };
    const wrong: [string, Record<string, unknown>][] = [
      ["actions.0.requests", { actions: [{ ...row, requests: -1 }] }],
      ["actions.0.requests", { actions: [{ ...row, requests: 2 ** 32 }] }],
      ["actions.0.requests", { actions: [{ ...row, requests: "1" }] }],
      ["actions.0.status", { actions: [{ ...row, status: 65_536 }] }],
      ["actions.0.kind", { actions: [{ ...row, kind: "other" }] }],
      ["actions.0.sumUs", { actions: [{ ...row, sumUs: null }] }],
      ["actions.0.app", { actions: [{ ...row, app: "" }] }],
      ["actions.0.action", { actions: [{ ...row, action: "x".repeat(1_021) }] }],
      ["actions.0.histogram", { actions: [{ ...row, histogram: { buckets: [2, 1], counts: [1, 1] } }] }],
      ["actions.0.histogram", { actions: [{ ...row, histogram: { buckets: [1], counts: [] } }] }],
      [
        "actions.0.histogram.buckets.0",
        { actions: [{ ...row, histogram: { buckets: [1_216], counts: [1] } }] },
      ],
      ["hostSeconds", { hostSeconds: seconds }],
      ["processSeconds.0", { processSeconds: [{ ...seconds, app: "a", instance: "i", pid: 1 }] }],
      ["host.name", { host: sampleHost({ name: "" }) }],
      ["apps.0.app", { apps: [{ app: 5, apdexTMs: 500, instances: [] }] }],
      ["ledger.0.received", { ledger: [{ tsSec: 1, app: "a", received: 1.5, dropped: {} }] }],
      ["createdUnixMs", { createdUnixMs: 1e18 }],
    ];
    for (const [place, changes] of wrong) {
      const answer = await uplink.deliver({ ...sampleHeader(), ...changes });
      assert.equal(answer.type, "nack", place);
      assert.deepEqual([answer.code, answer.permanent], ["BATCH_MALFORMED", true]);
      assert.ok(answer.message.includes(`at ${place}`), `${place}: ${answer.message}`);
    }
    assert.equal(await requestsOf("refused"), undefined);
    await uplink.close();
  });

  test("rows without number, all of them wrong, are refused at the first", async () => {
    const uplink = await collector.uplink();
    const rows = Array.from({ length: 200_000 }, () => ({}));
    const answer = await uplink.deliver({ ...sampleHeader(), actions: rows } as unknown as BatchHeader);
    assert.equal(answer.type, "nack");
    assert.match(answer.message, /malformed at actions\.0\.tsSec/);
    await uplink.close();
  });

  test("a part of a refused batch is stored like any batch", async () => {
    const uplink = await collector.uplink();
    const partOf = { stream: randomUUID(), number: 4 };
    const part = sampleHeader({ number: 2, partOf, actions: [sampleRequests([1], { app: "part" })] });
    assert.equal((await uplink.deliver(part)).type, "ack");
    assert.equal((await uplink.deliver(part)).type, "ack");
    assert.equal(await requestsOf("part"), 1);
    await uplink.close();
  });

  test("a message in more pieces than a proxy would make ends the connection", async () => {
    const uplink = await collector.uplink();
    for (let i = 0; i < 200; i++) uplink.socket.send("x", { fin: false, binary: true });
    assert.equal((await once(uplink.socket, "close"))[0], 1008);
  });

  test("the longest name that is accepted is kept whole; metrics of a newer daemon are left out", async () => {
    const app = "x".repeat(1_020);
    const uplink = await collector.uplink();
    const answer = await uplink.deliver(
      sampleHeader({
        actions: [sampleRequests([1], { app })],
        hostSeconds: { tsSec: [1], columns: { load1: [1], fluxCapacitorJigawatts: [1.21] } },
      }),
    );
    assert.equal(answer.type, "ack", JSON.stringify(answer));
    assert.equal(await requestsOf(app), 1);
    await uplink.close();
  });

  test("a message over the limit ends that connection only", async () => {
    const bystander = await collector.uplink();
    const uplink = await collector.uplink();
    uplink.socket.send(Buffer.alloc(MAX_UPLINK_MESSAGE_BYTES + 1));
    const [code] = (await once(uplink.socket, "close")) as [number];
    assert.equal(code, 1009);
    assert.equal((await bystander.deliver(sampleHeader())).type, "ack");
    await bystander.close();
  });

  test("a bomb of a body is refused before it fills the memory", async () => {
    const uplink = await collector.uplink();
    const bomb = encoded(
      sampleHeader({
        statements: [{ fingerprint: "f", app: "a", system: "s", text: "x".repeat(67_108_864) }],
      }),
    );
    assert.ok(bomb.length < MAX_UPLINK_MESSAGE_BYTES);
    const answer = await uplink.deliver(bomb);
    assert.equal(answer.type, "nack");
    assert.match(answer.message, /too large/);
    await uplink.close();
  });

  test("a flood on one connection is answered whole, in spite of the pauses", async () => {
    const uplink = await collector.uplink();
    const stream = randomUUID();
    const batches = 200;
    for (let number = 1; number <= batches; number++)
      uplink.socket.send(
        encoded(sampleHeader({ stream, number, actions: [sampleRequests([1], { app: "flood" })] })),
      );
    const acked = new Set<number>();
    while (acked.size < batches) {
      const answer = await uplink.next();
      assert.equal(answer.type, "ack", JSON.stringify(answer));
      acked.add(answer.number);
    }
    assert.equal(await requestsOf("flood"), batches);
    await uplink.close();
  });
});

test("two hosts of one name are told apart in the log, once; a daemon that comes back is no second host", async () => {
  const collector = await RunningCollector.start();
  const stream = randomUUID();
  const hello = async (id: string, itsStream: string): Promise<HandUplink> => {
    const uplink = await HandUplink.open(collector.url, collector.key);
    await uplink.hello(itsStream, sampleHost({ id }));
    return uplink;
  };
  const open = [await hello("first-id", stream), await hello("first-id", stream)];
  assert.deepEqual(collector.complaints, []);
  open.push(await hello("other-id", randomUUID()), await hello("first-id", randomUUID()));
  assert.equal(collector.complaints.length, 1);
  const [complaint = ""] = collector.complaints;
  for (const word of ["web-1", "first-id", "other-id", "127.0.0.1", "host_name"])
    assert.ok(complaint.includes(word), `${word} in ${complaint}`);
  for (const uplink of open) await uplink.close();
  await collector.end();
});

test("a browser's page may not open an uplink, not even with a key", async () => {
  const collector = await RunningCollector.start();
  for (const origin of ["https://evil.example", collector.url, "null"]) {
    const headers = { authorization: `Bearer ${collector.key}`, origin };
    const { status, body } = await refusedUpgrade(collector.url, { headers });
    assert.equal(status, 403, origin);
    assert.match(body.trim(), SENTENCE);
  }
  await collector.end();
});

test("too many uplinks are sent away for a while", async () => {
  const collector = await RunningCollector.start({ limits: { uplinks: 1 } });
  const uplink = await collector.uplink();
  const headers = { authorization: `Bearer ${collector.key}` };
  assert.equal((await refusedUpgrade(collector.url, { headers })).status, 503);
  await uplink.close();
  const { status, body } = await collector.get<{ uplinks: number }>("server");
  assert.deepEqual([status, body.uplinks], [200, 0]);
  await (await collector.uplink()).close();
  await collector.end();
});

test("a disk that is too full makes daemons wait, and the health check fail with the reason", async () => {
  const collector = await RunningCollector.start({ store: { min_free_disk_mb: 1_048_576 } });
  const uplink = await collector.uplink();
  const answer = await uplink.deliver(sampleHeader());
  assert.equal(answer.type, "nack");
  assert.deepEqual([answer.code, answer.permanent], ["DISK_LOW", false]);
  assert.ok(answer.retryAfterMs > 0);
  const health = await fetch(`${collector.url}/healthz`);
  const body = (await health.json()) as { status: string; reason: string };
  assert.deepEqual([health.status, body.status], [503, "failing"]);
  assert.match(body.reason, /MB free/);
  await uplink.close();
  await collector.end();
});

/** The same noise in every run. */
function noise(bytes: number): Buffer {
  const blocks = Array.from({ length: bytes / 32 }, (_, i) => createHash("sha256").update(`${i}`).digest());
  return Buffer.concat(blocks);
}
