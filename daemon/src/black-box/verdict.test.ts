import assert from "node:assert/strict";
import { test } from "node:test";
import type { AppEventEvidence } from "@apm-daemon/protocol";
import { titleOf } from "./verdict.ts";

const MIB = 1_048_576;
const NOTHING: AppEventEvidence = {
  connection: "closed",
  signal: null,
  exitStatus: null,
  cgroup: "/shop",
  cgroupVersion: 2,
  cgroupProcesses: 1,
  oomKills: 0,
  hostOomKills: 0,
  countersUnixMs: 1_000,
  memoryLimitBytes: 64 * MIB,
  memoryUsedBytes: 60 * MIB,
  memoryLimitHits: 0,
  rssBytes: 63 * MIB,
  rssUnixMs: 9_000,
  notBeforeUnixMs: 9_500,
  notAfterUnixMs: 10_000,
};

function crash(evidence: Partial<AppEventEvidence>): string {
  return titleOf({
    kind: "crash",
    exitCode: null,
    error: null,
    evidence: { ...NOTHING, ...evidence },
    wasRestarted: false,
  });
}

const SENTENCES: [string, Partial<AppEventEvidence>, string][] = [
  [
    "an out-of-memory kill where nobody else was",
    { oomKills: 1, memoryLimitHits: 3 },
    "killed by the kernel: out of memory in its cgroup (limit 64 MiB, RSS 63 MiB 1 s before)",
  ],
  [
    "one that may have hit another process of the cgroup",
    { oomKills: 1, cgroupProcesses: 4 },
    "most likely killed by the kernel: 1 out-of-memory kill was counted in the cgroup that 4 processes shared (limit 64 MiB, RSS 63 MiB 1 s before)",
  ],
  [
    "one without a limit",
    { oomKills: 1, memoryLimitBytes: null, rssBytes: null },
    "killed by the kernel: out of memory on the host",
  ],
  [
    "one at which the cgroup was not at its limit",
    { oomKills: 1, rssBytes: null },
    "killed by the kernel: out of memory in its cgroup or on the host (limit 64 MiB)",
  ],
  [
    "a cgroup that went with the process, and a kill somewhere on the host",
    { oomKills: null, hostOomKills: 2, memoryLimitBytes: null, rssBytes: null },
    "perhaps killed by the kernel: 2 out-of-memory kills were counted on the host meanwhile",
  ],
  [
    "nothing known",
    {},
    "killed or crashed: the connection broke without a goodbye; no out-of-memory kill was counted",
  ],
  [
    "nothing known, not even of memory",
    { oomKills: null, hostOomKills: null },
    "killed or crashed: the connection broke without a goodbye; whether memory ran out cannot be told, its memory cgroup cannot be read",
  ],
  [
    "SIGKILL without an out-of-memory kill",
    { signal: 9 },
    "killed by SIGKILL: no out-of-memory kill was counted, so somebody sent it",
  ],
  [
    "a crash in native code, beside another's out-of-memory kill",
    { signal: 11, oomKills: 1 },
    "crashed: SIGSEGV",
  ],
  ["an abort", { signal: 6 }, "aborted (SIGABRT), as Node does when its heap is full"],
  [
    "an exit that the agent could not tell",
    { exitStatus: 3 },
    "ended with exit status 3 and without a goodbye",
  ],
  ["a stop", { signal: 15 }, "stopped by SIGTERM with requests in flight"],
];

for (const [what, evidence, sentence] of SENTENCES)
  test(`the sentence for ${what}`, () => assert.equal(crash(evidence), sentence));

test("an exit names its code and what was thrown, in a bounded sentence", () => {
  const ended = { kind: "exit", exitCode: 1, evidence: NOTHING, wasRestarted: false } as const;
  assert.equal(titleOf({ ...ended, error: null }), "exited with code 1");
  const error = { type: "TypeError", message: "x is undefined", stack: "" };
  assert.equal(titleOf({ ...ended, error }), "exited with code 1: TypeError: x is undefined");
  assert.equal(titleOf({ ...ended, error: { ...error, message: "y".repeat(2_000) } }).length, 512);
});

test("who ended while the daemon was away: only what the counters say", () => {
  const ended = { kind: "vanished", exitCode: null, error: null } as const;
  const title = (evidence: Partial<AppEventEvidence>, wasRestarted = false): string =>
    titleOf({ ...ended, evidence: { ...NOTHING, ...evidence }, wasRestarted });
  assert.equal(title({}), "ended while the daemon was away: how is not known");
  assert.match(title({ oomKills: 1 }), /^killed by the kernel: .*, while the daemon was away$/);
  assert.equal(
    title({ oomKills: 1 }, true),
    "ended while the daemon was away: the host was restarted meanwhile",
  );
});
