import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Cleanup } from "../support/cleanup.ts";
import { exactAfterKills } from "../support/exact-after-kills.ts";
import { runKillRounds } from "../support/kill-rounds.ts";
import { takeTurn } from "../support/take-turn.ts";

describe("R2: kill -9 of the daemon under 5,000 spans/s", () => {
  const cleanup = new Cleanup();
  before(() => takeTurn(cleanup));
  after(() => cleanup.run());

  test("loses and doubles nothing in 10 kills at start-up, seal, acknowledgement, roll and in between", async (t) => {
    const report = await runKillRounds(cleanup, {
      target: "daemon",
      kills: 10,
      seed: 20_260_212,
      onKill: (sentence) => t.diagnostic(sentence),
    });
    exactAfterKills(report);
    assert.deepEqual(Object.keys(report.moments).sort(), ["ack", "any", "roll", "seal", "start-up"]);
  });
});
