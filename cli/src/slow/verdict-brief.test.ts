import assert from "node:assert/strict";
import { test } from "node:test";
import type { Verdict, VerdictCause } from "@apm-daemon/protocol";
import { verdictBrief } from "./verdict-brief.ts";

const VERDICT: Verdict = {
  causes: [],
  time: { part: "database", ratio: 0.82, target: "db-1:5432" },
  confidence: "high",
  doubts: [],
  baselineSeconds: 300,
  seconds: 2,
};

const STEAL: VerdictCause = {
  kind: "cpu_steal",
  metric: "cpuStealRatio",
  unit: "ratio",
  value: 0.31,
  usual: 0.01,
  share: 0.6,
};

test("the strongest causes with value and usual value, and whether that is sure", () => {
  assert.equal(verdictBrief({ ...VERDICT, causes: [STEAL] }), "cpu steal 31 % (usual 1 %)");
  const contention: VerdictCause = {
    ...STEAL,
    kind: "cpu_contention",
    process: { pid: 7, command: "xz\u001b[2J", cpuRatio: 1.9 },
  };
  const database: VerdictCause = {
    kind: "database",
    metric: "durationMs",
    unit: "ms",
    value: 1_200,
    usual: null,
    share: 0.2,
    target: "db-1:5432",
  };
  assert.equal(
    verdictBrief({ ...VERDICT, causes: [contention, database, STEAL], confidence: "low" }),
    "cpu contention 31 % (usual 1 %) by xz\\u{1b}[2J; database db-1:5432 1.2 s (not sure)",
  );
});

test("nothing unusual says where the time went; a missing verdict is no verdict", () => {
  assert.equal(verdictBrief(VERDICT), "nothing unusual on the host: 82 % in database db-1:5432");
  const code: Verdict = { ...VERDICT, time: { part: "code", ratio: 1, target: "" } };
  assert.equal(verdictBrief(code), "nothing unusual on the host: 100 % in code");
  assert.equal(verdictBrief(undefined), "no verdict yet");
});
