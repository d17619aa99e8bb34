import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { RunningCollector, temporaryFolder } from "../testing/running-collector.ts";
import { encoded, sampleHeader, sampleRequests } from "../testing/sample-batch.ts";

const DISK_BYTES = 24_000_000;
const BALLAST_BYTES = 14_000_000;

/** Mounts a small disk, or says why this machine cannot. */
function smallDisk(): { folder: string; skip: string | false } {
  const folder = temporaryFolder();
  try {
    execFileSync("/bin/mount", ["-t", "tmpfs", "-o", `size=${DISK_BYTES}`, "tmpfs", folder], {
      stdio: "ignore",
    });
    return { folder, skip: false };
  } catch {
    return { folder, skip: "only root may mount a small disk" };
  }
}

test("a full disk: refused batches are stored once there is space again, and no stop in between loses any", async (t) => {
  const { folder, skip } = smallDisk();
  if (skip) return t.skip(skip);
  const ballast = path.join(folder, "ballast");
  fs.writeFileSync(ballast, Buffer.alloc(BALLAST_BYTES));
  const state_dir = path.join(folder, "state");
  const stream = randomUUID();
  const bodies = new Map<number, Buffer>();
  const acked = new Set<number>();
  const deliver = async (collector: RunningCollector, numbers: Iterable<number>): Promise<boolean> => {
    const uplink = await collector.uplink(stream);
    for (const number of numbers) {
      const body = bodies.get(number) ?? largeBatch(stream, number);
      bodies.set(number, body);
      const answer = await uplink.deliver(body);
      if (answer.type === "ack") acked.add(number);
      else {
        assert.deepEqual([answer.code, answer.permanent], ["STORE_UNAVAILABLE", false]);
        await uplink.close();
        return false;
      }
    }
    await uplink.close();
    return true;
  };
  const requests = async (collector: RunningCollector): Promise<number> =>
    (await collector.get<{ requests: number }>("apps/shop/summary")).body.requests;

  const first = await RunningCollector.start({ state_dir });
  assert.equal(await deliver(first, upTo(400)), false, "the disk never filled");
  assert.ok(acked.size > 0);
  assert.equal(await requests(first), acked.size, "queries are answered all the same");
  await first.stop();

  fs.rmSync(ballast);
  const second = await RunningCollector.start({ state_dir });
  assert.equal(await requests(second), acked.size);
  assert.equal(await deliver(second, bodies.keys()), true);
  assert.equal(await requests(second), bodies.size);
  await second.stop();
  execFileSync("/bin/umount", [folder]);
  fs.rmdirSync(folder);
});

function* upTo(last: number): Iterable<number> {
  for (let number = 1; number <= last; number++) yield number;
}

/** About 700 KB in the store, of text that hardly compresses. */
function largeBatch(stream: string, number: number): Buffer {
  const statements = Array.from({ length: 50 }, (_, i) => ({
    fingerprint: `${number}/${i}`,
    app: "shop",
    system: "postgresql",
    text: Array.from({ length: 400 }, () => randomUUID()).join(""),
  }));
  return encoded(sampleHeader({ stream, number, actions: [sampleRequests([1_000])], statements }));
}
