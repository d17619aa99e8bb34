import assert from "node:assert/strict";
import type { KillReport } from "./kill-rounds.ts";

/** No request, no call lost or doubled, and the audit says the same to the span; and there was something to lose at each kill. */
export function exactAfterKills(report: KillReport): void {
  assert.deepEqual(report.differences, [], `seed ${report.seed}`);
  assert.deepEqual(report.auditProblems, [], `seed ${report.seed}`);
  assert.deepEqual(
    { lost: report.lost, doubled: report.doubled, droppedSpans: report.droppedSpans },
    { lost: 0, doubled: 0, droppedSpans: 0 },
  );
  assert.equal(report.spans, report.requests * 4);
  assert.ok(report.requests > report.kills * 500, `only ${report.requests} requests were made`);
}
