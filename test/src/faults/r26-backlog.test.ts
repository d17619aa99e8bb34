import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { batchFile, noise, oneRequest, outboxOf, putIntoOutbox } from "../support/batches.ts";
import { Cleanup } from "../support/cleanup.ts";
import { createKeyFile, StateDir, startCollector, startDaemon } from "../support/system.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";

/** An hour's batches, one every 10 s. */
const BACKLOG = 360;
const BATCH_BYTES = 16_000;
/** A line that takes some 25 s for them. */
const BYTES_PER_SECOND = 250_000;
const FRESH_WITHIN_MS = 15_000;
const DEADLINE_MS = 150_000;

interface Watched {
  sealedMs: number;
  goneMs: number | null;
}

describe("R26: after an hour's outage", () => {
  const cleanup = new Cleanup();
  after(() => cleanup.run());

  test("live batches are committed within 15 s while the backlog drains beside them from both ends", async (t) => {
    const collector = await startCollector(cleanup, new StateDir(cleanup));
    const keyFile = await createKeyFile(collector.stateDir, "back");
    const stateDir = new StateDir(cleanup);
    const stream = randomUUID();
    for (let number = 1; number <= BACKLOG; number++) {
      const actions = [oneRequest("backlog", "GET /")];
      const statements = Array.from({ length: 8 }, (_, i) => {
        const text = noise(BATCH_BYTES / 4);
        return { fingerprint: `${number}-${i}`, app: "backlog", system: "postgresql", text };
      });
      putIntoOutbox(stateDir, number, batchFile(stream, number, { actions, statements }));
    }
    const proxy = await TcpProxy.start(cleanup, collector.port);
    proxy.bytesPerSecond = BYTES_PER_SECOND;
    await startDaemon(cleanup, {
      stateDir,
      collectorUrl: `ws://127.0.0.1:${proxy.port}`,
      keyFile,
      toml: "seal_interval_ms = 1000\n",
    });

    const batches = new Map<number, Watched>();
    const left = (): number[] =>
      [...batches].filter(([, { goneMs }]) => goneMs === null).map(([number]) => number);
    const backlogLeft = (): number[] => left().filter((number) => number <= BACKLOG);
    let liveAtHalf = 0;
    let halfway: number[] = [];
    const giveUpAt = performance.now() + DEADLINE_MS;
    do {
      watch(stateDir, batches);
      if (halfway.length === 0 && backlogLeft().length <= BACKLOG / 2) {
        halfway = backlogLeft();
        liveAtHalf = [...batches].filter(
          ([number, { goneMs }]) => number > BACKLOG && goneMs !== null,
        ).length;
      }
      await sleep(50);
    } while (backlogLeft().length > 0 && performance.now() < giveUpAt);

    assert.deepEqual(backlogLeft(), [], "the backlog is drained");
    const lags = [...batches]
      .filter(([number, { goneMs }]) => number > BACKLOG && goneMs !== null)
      .map(([, { sealedMs, goneMs }]) => (goneMs ?? 0) - sealedMs);
    t.diagnostic(
      `${lags.length} live batches, at most ${Math.round(Math.max(...lags))} ms from seal to commit`,
    );
    assert.ok(Math.max(...lags) <= FRESH_WITHIN_MS, `lags of ${lags.map(Math.round).join(", ")} ms`);

    const goneAtHalf = BACKLOG - halfway.length;
    const fromOldest = (halfway[0] ?? 0) - 1;
    t.diagnostic(
      `of the first ${goneAtHalf} of the backlog ${fromOldest} were the oldest; ${liveAtHalf} live ones beside them`,
    );
    // All of the backlog are of one size, and ten times as large as the live ones.
    assert.ok(fromOldest >= 0.3 * (goneAtHalf + liveAtHalf / 10), "30 % of the bytes for the oldest");
    assert.ok(goneAtHalf >= 3 * liveAtHalf, "three times the live rate");
    assert.equal(await collector.api.requestCount("backlog"), BACKLOG);
  });
});

/** A batch is gone from the outbox when the collector has said that it is committed. */
function watch(stateDir: StateDir, batches: Map<number, Watched>): void {
  const dir = outboxOf(stateDir);
  const names = readdirSync(dir).filter((name) => /^\d{12}\.batch$/.test(name));
  const there = new Set(names.map((name) => Number(name.slice(0, 12))));
  for (const number of there)
    if (!batches.has(number))
      note(join(dir, names.find((name) => Number(name.slice(0, 12)) === number) ?? ""), number, batches);
  for (const [number, batch] of batches)
    if (batch.goneMs === null && !there.has(number)) batch.goneMs = Date.now();
}

function note(path: string, number: number, batches: Map<number, Watched>): void {
  try {
    batches.set(number, { sealedMs: statSync(path).mtimeMs, goneMs: null });
  } catch {
    // Committed between the two looks.
  }
}
