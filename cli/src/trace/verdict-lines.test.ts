import assert from "node:assert/strict";
import { test } from "node:test";
import type { TraceAnswer, Verdict, VerdictCause } from "@apm-daemon/protocol";
import { noPaint } from "../terminal/paint.ts";
import { sampleTrace } from "../test-support/sample-trace.ts";
import { verdictLines } from "./verdict-lines.ts";

function lines(changes: Partial<Verdict>, columns = 80): string[] {
  const [root] = sampleTrace().roots as [TraceAnswer];
  const verdict: Verdict = {
    causes: [],
    time: { part: "code", ratio: 1, target: "" },
    confidence: "high",
    doubts: [],
    baselineSeconds: 300,
    seconds: 3,
    ...changes,
  };
  return verdictLines([{ ...root, durationMs: 2_100, verdict }], columns, noPaint);
}

const steal: VerdictCause = {
  kind: "cpu_steal",
  metric: "cpuStealRatio",
  unit: "ratio",
  value: 0.31,
  usual: 0.01,
  share: 0.45,
};

test("a cause is told with its value, what is usual, and how much it explains", () => {
  assert.deepEqual(lines({ causes: [steal] }), [
    "why slow: CPU stolen by the hypervisor 31 % (usual 1 %), explains about half of",
    "          the 2.1 s",
    "          sure",
  ]);
});

test("a noisy process is named, other causes follow, and doubts are told", () => {
  const noise: VerdictCause = {
    kind: "cpu_contention",
    metric: "psiCpuSomeRatio",
    unit: "ratio",
    value: 0.9,
    usual: null,
    share: 0.2,
    process: { pid: 77, command: "backup\u001b[2J", cpuRatio: 0.95 },
  };
  const wait: VerdictCause = {
    kind: "database",
    metric: "durationMs",
    unit: "ms",
    value: 300,
    usual: null,
    share: 0.14,
    target: "db-1:5432",
    operation: "SELECT",
  };
  const text = lines(
    { causes: [noise, wait], confidence: "low", doubts: ["short_baseline", "close_causes"] },
    200,
  );
  assert.equal(text.length, 3);
  assert.match(
    text[0] ?? "",
    /^why slow: other processes had the CPUs: waiting for a CPU 90 % \(what is usual is not known\), most of all backup\S* \(pid 77, 95 % of a core\), explains about a fifth of the 2\.1 s$/,
  );
  assert.ok(!text[0]?.includes("\u001b"));
  assert.equal(
    text[1],
    "    also: the database db-1:5432, waited for 300 ms, explains about a tenth of the 2.1 s",
  );
  assert.equal(
    text[2],
    "          not sure: little is known of the time before, several causes are about as strong",
  );
});

test("when nothing was unusual it is said where the time is", () => {
  assert.equal(lines({})[0], "why slow: nothing unusual on the host: the time is in the code");
  const time = { part: "database", ratio: 0.4, target: "db-1:5432" } as const;
  assert.equal(
    lines({ time }, 200)[0],
    "why slow: nothing unusual on the host: the time is in the database db-1:5432",
  );
});

test("a trace without a verdict has no such lines", () => {
  assert.deepEqual(verdictLines(sampleTrace().roots, 80, noPaint), []);
});
