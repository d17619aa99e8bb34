import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { OpenedStore } from "../../testing/opened-store.ts";
import { sampleHeader, sampleRequests } from "../../testing/sample-batch.ts";
import { MAINTENANCE_JOBS } from "../store.ts";

const DAY_MS = 86_400_000;
/** 2026-11-23, 00:00 UTC. */
const MIDNIGHT_SEC = 1_795_392_000;
const BATCHES = 14;
const ROWS = 8_000;
const KILLS = 8;

const counted = async ({ store }: OpenedStore, stepSec: number): Promise<unknown> => {
  const range = { fromSec: MIDNIGHT_SEC, toSec: MIDNIGHT_SEC + 10 * 86_400 };
  const totals = await store.requests.totals({ range }, { by: ["action"], stepSec, withHistograms: true });
  return totals
    .map(({ action, stepStartSec, requests, sumUs, histogram }) => ({
      action,
      stepStartSec,
      requests,
      sumUs,
      histogram,
    }))
    .sort((a, b) => a.stepStartSec - b.stepStartSec || (a.action < b.action ? -1 : 1));
};

/** Begins the jobs in another process and kills it after so long; true when it was done before. */
async function killedAfter(stateDir: string, nowMs: number, delayMs: number): Promise<boolean> {
  const script = fileURLToPath(new URL("../../testing/roll-up-process.js", import.meta.url));
  const child = spawn(process.execPath, [script, stateDir, String(nowMs)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  let last = "";
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => {
    last = line;
  });
  await Promise.race([once(lines, "line"), exited]);
  await Promise.race([wait(delayMs), exited]);
  child.kill("SIGKILL");
  await exited;
  return last === "done";
}

test("kill -9 in the middle of the jobs: no row is missing in a tier, and none is there twice", async () => {
  const nowMs = (MIDNIGHT_SEC + 86_300) * 1_000;
  const first = await OpenedStore.open(nowMs);
  for (let batch = 0; batch < BATCHES; batch++) {
    const actions = Array.from({ length: ROWS }, (_, i) =>
      sampleRequests([1 + (i % 1_000)], { tsSec: MIDNIGHT_SEC + 10 * (i % 8_000), action: `a ${i % 20}` }),
    );
    await first.store.write({
      batch: { header: sampleHeader({ actions }), frames: [] },
      receivedMs: nowMs,
      bytes: 1_000,
    });
  }
  const byMinute = await counted(first, 60);
  const byHour = await counted(first, 3_600);
  await first.close();

  const laterMs = nowMs + 5 * DAY_MS;
  let isDone = false;
  for (let kill = 0; kill < KILLS && !isDone; kill++) {
    isDone = await killedAfter(first.stateDir, laterMs, 100 + 90 * kill);
    const opened = await OpenedStore.open(laterMs, { days: 1 }, first.stateDir);
    assert.deepEqual(await counted(opened, 60), byMinute, `by the minute, after kill ${kill + 1}`);
    assert.deepEqual(await counted(opened, 3_600), byHour, `by the hour, after kill ${kill + 1}`);
    assert.deepEqual(opened.warnings, []);
    await opened.close();
  }
  const last = await OpenedStore.open(laterMs, { days: 1 }, first.stateDir);
  for (const job of MAINTENANCE_JOBS) await last.store.maintain(job);
  assert.equal((await last.store.size()).days.length, 1);
  assert.deepEqual(await counted(last, 60), byMinute);
  assert.deepEqual(await counted(last, 3_600), byHour);
  await last.close();
});
