import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Cleanup } from "../support/cleanup.ts";
import { skipWithout } from "../support/parts.ts";
import { runSyscallKills } from "../support/syscall-kills.ts";
import { takeTurn } from "../support/take-turn.ts";

/** Every so many recorded calls one is tried, the first one by the seed; `npm run bench -- faults --only R7` tries all. */
const EVERY = 13;
const SEED = 3;

describe("R7: kill -9 between two system calls of roll, seal, acknowledgement and delete", {
  skip: skipWithout("strace"),
}, () => {
  const cleanup = new Cleanup();
  before(() => takeTurn(cleanup));
  after(() => cleanup.run());

  test(`recovers at every ${EVERY}th call, with each frame counted once`, async (t) => {
    const report = await runSyscallKills(cleanup, {
      choose: (points) => points.filter((_, i) => i % EVERY === SEED % EVERY),
      concurrency: 2,
      onPoint: (sentence) => t.diagnostic(sentence),
    });
    assert.deepEqual(report.failures, []);
    assert.deepEqual({ lost: report.lost, doubled: report.doubled }, { lost: 0, doubled: 0 });
    assert.ok(
      report.kills >= report.pointsTried / 2 && report.kills >= 6,
      `killed at ${report.kills} of ${report.pointsTried} points`,
    );
  });
});
