import { after, before, describe, test } from "node:test";
import { Cleanup } from "../support/cleanup.ts";
import { exactAfterKills } from "../support/exact-after-kills.ts";
import { runKillRounds } from "../support/kill-rounds.ts";
import { takeTurn } from "../support/take-turn.ts";

describe("R3: kill -9 of the collector, and of both, under 5,000 spans/s", () => {
  const cleanup = new Cleanup();
  before(() => takeTurn(cleanup));
  after(() => cleanup.run());

  for (const [target, kills] of [
    ["collector", 3],
    ["both", 3],
  ] as const) {
    test(`loses and doubles nothing: ${target}, ${kills} kills`, async (t) => {
      const onKill = (sentence: string): void => t.diagnostic(sentence);
      exactAfterKills(await runKillRounds(cleanup, { target, kills, seed: 20_260_313, onKill }));
    });
  }
});
