import assert from "node:assert/strict";
import { test } from "node:test";
import { pino } from "pino";
import { SelfReport } from "./self-report.ts";

test("a report is of the time since the one before, and has its peaks", () => {
  const lines: Record<string, unknown>[] = [];
  const log = pino({ base: null }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const totals = { cpuMs: 50, received: 10, dropped: 0, batchesAcked: 1, bytesSent: 100 };
  let monoMs = 1_000;
  let rssBytes = 7;
  const report = new SelfReport({
    totals: () => ({ ...totals }),
    self: { takePeaks: () => ({ rssBytes: rssBytes++, eventLoopDelayP99Ms: 1.25 }) },
    monoMs: () => monoMs,
    log,
  });
  Object.assign(totals, { cpuMs: 36_050, received: 1_010, dropped: 5, batchesAcked: 361, bytesSent: 5_100 });
  monoMs += 3_600_000;
  report.report();
  monoMs += 1_800_000;
  totals.received += 1;
  report.report();
  const day = { hours: 1, cpuRatio: 0.01, highestRssBytes: 7, highestEventLoopDelayP99Ms: 1.3 };
  const [first, second] = lines;
  assert.deepEqual(
    { ...first, time: 0, level: 30 },
    {
      level: 30,
      time: 0,
      ...day,
      spansReceived: 1_000,
      spansDropped: 5,
      batchesAcked: 360,
      bytesSent: 5_000,
      msg: "what this daemon cost and did since the report before",
    },
  );
  assert.equal(second?.["hours"], 0.5);
  assert.equal(second?.["spansReceived"], 1);
  assert.equal(second?.["spansDropped"], 0);
  assert.equal(second?.["highestRssBytes"], 8);
});
