import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { KeyStore } from "../../key-store.ts";
import { HandUplink } from "../../testing/hand-uplink.ts";
import { RunningCollector, temporaryFolder } from "../../testing/running-collector.ts";
import { sampleHeader, sampleRequests } from "../../testing/sample-batch.ts";
import { spawnCollector } from "../../testing/spawn-collector.ts";

interface Left {
  stateDir: string;
  file: string;
  stream: string;
  createdUnixMs: number;
}

/** What a collector leaves that was killed after it acknowledged `commits` batches, each committed alone. */
async function killedAfter(commits: number): Promise<Left> {
  const stateDir = temporaryFolder();
  const { key } = new KeyStore(stateDir).create("recovery");
  const collector = await spawnCollector(stateDir);
  const stream = randomUUID();
  const uplink = await HandUplink.connect(collector.firstLine, key, stream);
  const createdUnixMs = Date.now();
  for (let number = 1; number <= commits; number++) {
    const tsSec = Math.floor(createdUnixMs / 10_000) * 10 - 10;
    const actions = [sampleRequests([1_000], { tsSec })];
    assert.equal(
      (await uplink.deliver(sampleHeader({ stream, number, createdUnixMs, actions }))).type,
      "ack",
    );
  }
  await collector.kill();
  const hot = path.join(stateDir, "store", "hot");
  const name = fs.readdirSync(hot).find((entry) => entry.endsWith(".duckdb")) ?? "";
  return { stateDir, file: path.join(hot, name), stream, createdUnixMs };
}

/** Opens what was left and answers which batches are in it and how many requests the API counts. */
async function reopened({
  stateDir,
  stream,
}: Left): Promise<{ last: number; requests: number; complaints: string }> {
  const collector = await RunningCollector.start({ state_dir: stateDir, clock: Date.now });
  const uplink = await HandUplink.open(collector.url, collector.key);
  const last = (await uplink.hello(stream)).lastNumber;
  const { body } = await collector.get<{ apps: { requests: number }[] }>("apps");
  assert.equal((await uplink.deliver(sampleHeader())).type, "ack", "the store takes batches again");
  await uplink.close();
  await collector.stop();
  return { last, requests: body.apps[0]?.requests ?? 0, complaints: collector.complaints.join("") };
}

const quarantined = ({ stateDir }: Left): string[] =>
  fs.readdirSync(path.join(stateDir, "store", "quarantine"));

test("recovers all batches from the WAL of a killed collector", async () => {
  const left = await killedAfter(4);
  assert.ok(fs.statSync(`${left.file}.wal`).size > 0);
  assert.deepEqual(await reopened(left), { last: 4, requests: 4, complaints: "" });
  fs.rmSync(left.stateDir, { recursive: true });
});

test("recovers the batches before the damage when a byte of the WAL flipped, and keeps what came after aside", async () => {
  const left = await killedAfter(4);
  const wal = fs.readFileSync(`${left.file}.wal`);
  const at = wal.length - 500;
  wal[at] = (wal[at] ?? 0) ^ 0xff;
  fs.writeFileSync(`${left.file}.wal`, wal);
  const { last, requests, complaints } = await reopened(left);
  assert.equal(last, 3);
  assert.equal(requests, 3);
  assert.match(complaints, /was damaged at byte \d+/);
  assert.deepEqual(quarantined(left), [`${path.basename(left.file)}.wal`]);
  assert.deepEqual(
    fs.readFileSync(path.join(left.stateDir, "store", "quarantine", quarantined(left)[0] ?? "")),
    wal,
  );
  fs.rmSync(left.stateDir, { recursive: true });
});

test("recovers when the end of the WAL is torn or zero", async () => {
  for (const damage of ["torn", "zero"] as const) {
    const left = await killedAfter(3);
    const wal = fs.readFileSync(`${left.file}.wal`);
    const end = wal.length - 100;
    fs.writeFileSync(`${left.file}.wal`, damage === "torn" ? wal.subarray(0, end) : wal.fill(0, end));
    const { last, requests } = await reopened(left);
    assert.deepEqual([last, requests], [2, 2], damage);
    fs.rmSync(left.stateDir, { recursive: true });
  }
});

test("a day that cannot be opened is put aside whole, and the day goes on in a new file", async () => {
  for (const damage of ["header", "garbage", "empty"] as const) {
    const left = await killedAfter(2);
    // A clean stop leaves no WAL: everything is in the file.
    await (await RunningCollector.start({ state_dir: left.stateDir, clock: Date.now })).stop();
    const bytes = fs.readFileSync(left.file);
    const damaged = { header: bytes.fill(7, 8, 40), garbage: Buffer.alloc(5_000, 9), empty: Buffer.alloc(0) }[
      damage
    ];
    fs.writeFileSync(left.file, damaged);
    const { last, requests, complaints } = await reopened(left);
    assert.deepEqual([last, requests], [0, 0], damage);
    if (damage !== "empty") {
      assert.match(complaints, /was moved to .+quarantine/, damage);
      assert.deepEqual(quarantined(left), [path.basename(left.file)], damage);
      assert.deepEqual(
        fs.readFileSync(path.join(left.stateDir, "store", "quarantine", quarantined(left)[0] ?? "")),
        damaged,
      );
    }
    fs.rmSync(left.stateDir, { recursive: true });
  }
});

test("a damaged day does not hide the others", async () => {
  const left = await killedAfter(1);
  const older = left.file.replace(
    /\d{4}-\d{2}-\d{2}/,
    new Date(left.createdUnixMs - 86_400_000).toISOString().slice(0, 10),
  );
  fs.writeFileSync(older, "nonsense");
  const { last, requests } = await reopened(left);
  assert.deepEqual([last, requests], [1, 1]);
  assert.deepEqual(quarantined(left), [path.basename(older)]);
  fs.rmSync(left.stateDir, { recursive: true });
});
