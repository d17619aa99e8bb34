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
  assert.equal(
    verdictBrief({ ...VERDICT, causes: [STEAL] }),
    "CPU stolen by the hypervisor 31 % (usual 1 %)",
  );
  const contention: VerdictCause = {
    ...STEAL,
    kind: "cpu_contention",
    metric: "psiCpuSomeRatio",
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
    "other processes had the CPUs: waiting for a CPU 31 % (usual 1 %), most of all xz\\u{1b}[2J (pid 7, 190 % of a core); the database db-1:5432 (not sure)",
  );
});

test("nothing unusual says where the time went; a missing verdict is no verdict", () => {
  assert.equal(verdictBrief(VERDICT), "nothing unusual on the host: the time is in the database db-1:5432");
  const code: Verdict = { ...VERDICT, time: { part: "code", ratio: 1, target: "" } };
  assert.equal(verdictBrief(code), "nothing unusual on the host: the time is in the code");
  assert.equal(verdictBrief(undefined), "no verdict yet");
});
