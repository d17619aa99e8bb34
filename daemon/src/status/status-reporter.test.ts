import assert from "node:assert/strict";
import { test } from "node:test";
import { Outbox } from "../outbox/outbox.ts";
import { CollectorPeer } from "../testing/collector-peer.ts";
import { LoggedLines } from "../testing/logged-lines.ts";
import { STREAM, sampleBatch, sampleHeader } from "../testing/sample-header.ts";
import { sendingOf } from "../testing/sending-of.ts";
import { tempDir } from "../testing/temp-dir.ts";
import { until } from "../testing/until.ts";
import { Uplink } from "../uplink/uplink.ts";
import { uplinkProblemOf } from "./status-reporter.ts";

const START_MS = 1_790_000_000_000;

test("a collector that is connected and takes nothing is a problem after 30 s, with its reason", async (t) => {
  const collector = await CollectorPeer.start(t);
  const outbox = new Outbox({ dir: tempDir(t), capBytes: 1e9 });
  const { queue, refused } = sendingOf(t, outbox);
  const uplink = new Uplink({
    url: collector.url,
    readKey: () => null,
    host: sampleHeader(1).host,
    queue,
    refused,
    position: () => ({ stream: STREAM, nextNumber: 2 }),
    log: new LoggedLines().log,
    clock: { unixMs: () => START_MS + 40_000 },
    random: () => 0.01,
  });
  t.after(() => uplink.stop(0));
  const bytes = sampleBatch(1);
  await outbox.write(1, bytes);
  outbox.offer(1, bytes.length, START_MS + 1_000);
  let isLow = true;
  collector.answer = (identity, received) =>
    isLow
      ? [
          {
            type: "nack",
            ...identity,
            code: "DISK_LOW",
            message: "the disk is too full",
            permanent: false,
            retryAfterMs: 200,
          },
        ]
      : collector.commit(identity, received);
  const problemAt = (ms: number): string => uplinkProblemOf(uplink, outbox, START_MS, START_MS + ms);
  uplink.start();
  await until("the batch was refused", () => uplink.counts.nacked > 0);
  assert.equal(problemAt(30_000), "");
  assert.equal(
    problemAt(31_001),
    "the collector has acknowledged nothing for 31 s while 1 batch waits: the disk is too full",
  );
  isLow = false;
  await until("the batch is taken", () => outbox.count === 0);
  assert.equal(problemAt(41_000), "");
  assert.equal(problemAt(999_000), "", "nothing waits");
});
