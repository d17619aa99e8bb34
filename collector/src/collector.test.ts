import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import * as fs from "node:fs";
import { createServer } from "node:net";
import * as path from "node:path";
import { test } from "node:test";

import { PasswordStore } from "./access/password-store.ts";
import { CollectorError, type CollectorErrorCode } from "./collector-error.ts";
import { HandUplink } from "./testing/hand-uplink.ts";
import { RunningCollector, temporaryFolder } from "./testing/running-collector.ts";
import { encoded, SEALED_MS, sampleHeader, sampleRequests } from "./testing/sample-batch.ts";
import { spawnCollector } from "./testing/spawn-collector.ts";

function failsWith(code: CollectorErrorCode) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof CollectorError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, /^[^\n]{20,}$/);
    return true;
  };
}

async function requestsOf(collector: RunningCollector, app = "shop"): Promise<number | undefined> {
  const { body } = await collector.get<{ apps: { app: string; requests: number }[] }>("apps");
  return body.apps.find((entry) => entry.app === app)?.requests;
}

test("a port in use is said to be so, and the store is left for others", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as { port: number };
  const state_dir = temporaryFolder();
  await assert.rejects(
    RunningCollector.start({ state_dir, listen: `127.0.0.1:${port}` }),
    failsWith("PORT_IN_USE"),
  );
  await (await RunningCollector.start({ state_dir })).end();
  other.close();
});

test("an address of another machine is said to be not available", async () => {
  const state_dir = temporaryFolder();
  const listen = "192.0.2.1:0";
  await assert.rejects(RunningCollector.start({ state_dir, listen }), failsWith("PASSWORD_MISSING"));
  await new PasswordStore(state_dir).set("a password for others");
  await assert.rejects(RunningCollector.start({ state_dir, listen }), failsWith("ADDRESS_NOT_AVAILABLE"));
});

test("a state directory that cannot be written is said to be so", async () => {
  const file = path.join(temporaryFolder(), "file");
  fs.writeFileSync(file, "");
  for (const state_dir of [file, path.join(file, "below")])
    await assert.rejects(RunningCollector.start({ state_dir }), failsWith("STATE_DIR_NOT_WRITABLE"));
});

test("a second collector on the same state directory says who has it, and the first is unharmed", async () => {
  const collector = await RunningCollector.start();
  const second = await spawnCollector(collector.stateDir);
  assert.match(second.firstLine, /^failed STATE_DIR_IN_USE: /);
  assert.ok(second.firstLine.includes(`process ${process.pid}`), second.firstLine);
  await second.kill();
  const uplink = await collector.uplink();
  assert.equal((await uplink.deliver(sampleHeader())).type, "ack");
  await uplink.close();
  await collector.end();
});

test("a damaged lock file does not keep a collector from starting", async () => {
  const state_dir = temporaryFolder();
  for (const damage of ["", "nonsense", "x".repeat(20_000)]) {
    fs.writeFileSync(path.join(state_dir, "collector.lock"), damage);
    await (await RunningCollector.start({ state_dir })).stop();
  }
  fs.rmSync(state_dir, { recursive: true });
});

test("replays count once across a restart, and numbers that never came are still accepted", async () => {
  const first = await RunningCollector.start();
  const stream = randomUUID();
  const batch = (number: number): Buffer =>
    encoded(sampleHeader({ stream, number, actions: [sampleRequests([number])] }));
  const uplink = await first.uplink(stream);
  for (const number of [1, 2, 9, 5]) assert.equal((await uplink.deliver(batch(number))).type, "ack");
  await uplink.close();
  await first.stop();

  const second = await RunningCollector.start({ state_dir: first.stateDir });
  assert.equal(await requestsOf(second), 4);
  const again = await HandUplink.open(second.url, second.key);
  assert.equal((await again.hello(stream)).lastNumber, 9);
  for (const number of [9, 5, 2, 1, 3]) assert.equal((await again.deliver(batch(number))).type, "ack");
  assert.equal(await requestsOf(second), 5);
  await again.close();
  await second.end();
});

test("a stop answers every batch that was read, and what was answered is there after it", async () => {
  const first = await RunningCollector.start();
  const stream = randomUUID();
  const uplink = await first.uplink(stream);
  const batches = 30;
  for (let number = 1; number <= batches; number++)
    uplink.socket.send(encoded(sampleHeader({ stream, number, actions: [sampleRequests([1])] })));
  const closed = once(uplink.socket, "close");
  const answers = [await uplink.next()];
  await first.stop();
  assert.equal((await closed)[0], 1001);
  answers.push(...uplink.takeReceived());

  const second = await RunningCollector.start({ state_dir: first.stateDir });
  assert.ok(answers.every(({ type }) => type === "ack"));
  assert.equal(await requestsOf(second), answers.length);
  await second.end();
});

test("old days are removed with their files, and their space is free at once", async () => {
  const day = 86_400_000;
  let nowMs = SEALED_MS;
  const clock = (): number => nowMs;
  const first = await RunningCollector.start({ retention: { days: 2 }, clock });
  for (let i = 0; i < 4; i++, nowMs += day) {
    const uplink = await first.uplink();
    assert.equal((await uplink.deliver(sampleHeader({ createdUnixMs: nowMs }))).type, "ack");
    await uplink.close();
  }
  const days = async (collector: RunningCollector): Promise<string[]> =>
    (await collector.get<{ store: { days: string[] } }>("server")).body.store.days;
  assert.deepEqual(await days(first), ["2026-11-23", "2026-11-24", "2026-11-25", "2026-11-26"]);
  await first.stop();
  const second = await RunningCollector.start({ state_dir: first.stateDir, retention: { days: 2 }, clock });
  const hot = path.join(first.stateDir, "store", "hot");
  const files = (): string[] => fs.readdirSync(hot).filter((name) => name.endsWith(".duckdb"));
  // A file is forgotten before it is detached and deleted.
  while ((await days(second)).length > 3 || files().length > 3) await new Promise(setImmediate);
  assert.deepEqual(await days(second), ["2026-11-25", "2026-11-26", "2026-11-27"]);
  assert.equal(files().length, 3);
  await second.end();
});
