import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleHeader } from "../../testing/sample-batch.ts";
import { ApdexThresholds } from "./apdex-thresholds.ts";

function reported(app: string, apdexTMs: number, atSec: number) {
  const header = sampleHeader({ createdUnixMs: atSec * 1_000, apps: [{ app, apdexTMs, instances: [] }] });
  return { batch: { header, frames: [] }, receivedMs: atSec * 1_000, bytes: 0 };
}

test("the newest threshold of an app counts, whichever comes first and whether it was stored before", async () => {
  const stored = [
    { app: "shop", atSec: 100, apdexTMs: 400 },
    { app: "billing", atSec: 100, apdexTMs: 900 },
  ];
  let asked = 0;
  const thresholds = new ApdexThresholds(async () => {
    asked++;
    if (asked === 1) throw new Error("the store is busy");
    return stored;
  });
  // Before anything was looked up.
  thresholds.note(reported("shop", 500, 110));
  await assert.rejects(thresholds.all(), /busy/);
  assert.deepEqual(
    await thresholds.all(),
    new Map([
      ["shop", 500],
      ["billing", 900],
    ]),
  );
  // Half a surrogate pair, which the store replaces.
  thresholds.note(reported("sh\ud800op", 700, 130));
  // Late ones.
  thresholds.note(reported("shop", 300, 90));
  thresholds.note(reported("__proto__", 1, 120));
  assert.deepEqual(
    await thresholds.all(),
    new Map([
      ["__proto__", 1],
      ["sh\ufffdop", 700],
      ["billing", 900],
      ["shop", 500],
    ]),
  );
  assert.equal(asked, 2);
});
