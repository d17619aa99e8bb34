import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { LoggedLines } from "../testing/logged-lines.ts";
import { tempDir } from "../testing/temp-dir.ts";
import { until } from "../testing/until.ts";
import { Attempts } from "./attempts.ts";
import { DiskProbe } from "./disk-probe.ts";
import { SocketFile } from "./socket-file.ts";
import { Watchdog } from "./watchdog.ts";

function watchdogOf(stallOf: () => string): { watchdog: Watchdog; told: string[][]; lines: LoggedLines } {
  const told: string[][] = [];
  const lines = new LoggedLines();
  const watchdog = new Watchdog({
    parts: [{ name: "seal", stall: stallOf }],
    service: {
      tell: (message) => void told.push([...message]),
      tellNow: (message) => void told.push([...message]),
    },
    watchdogMs: 30_000,
    summary: () => "all well",
    log: lines.log,
  });
  return { watchdog, told, lines };
}

test("gives signs of life while all parts make progress, none while one does not, and one line for each standstill", () => {
  let stall = "";
  const { watchdog, told, lines } = watchdogOf(() => stall);
  watchdog.start();
  watchdog.beat();
  stall = "it hangs";
  watchdog.beat();
  watchdog.beat();
  stall = "";
  watchdog.beat();
  watchdog.stop();
  assert.deepEqual(told, [
    ["READY=1", "STATUS=all well"],
    ["WATCHDOG=1", "STATUS=all well"],
    ["STATUS=stalled: seal: it hangs"],
    ["STATUS=stalled: seal: it hangs"],
    ["WATCHDOG=1", "STATUS=all well"],
  ]);
  assert.deepEqual(lines.sentences, [
    "a part makes no progress; systemd will restart the daemon if that stays",
    "all parts make progress again",
  ]);
});

test("work that is done over and over stalls when no attempt ends in time, at the very millisecond after", () => {
  let monoMs = 1_000;
  const attempts = new Attempts({ name: "seal", patienceMs: 30_000, monoMs: () => monoMs });
  monoMs = 31_000;
  assert.equal(attempts.stall(), "");
  monoMs = 31_001;
  assert.match(attempts.stall(), /for 30 s$/);
  attempts.note();
  assert.equal(attempts.stall(), "");
});

test("a disk that refuses answers; nothing of the probe is left on one that takes it", async (t) => {
  let monoMs = 0;
  const probe = (path: string): DiskProbe =>
    new DiskProbe({ name: "journal", path, patienceMs: 10, monoMs: () => monoMs });
  const dir = tempDir(t);
  const refused = probe(join(dir, "nowhere", "probe.tmp"));
  const taken = probe(join(dir, "probe.tmp"));
  assert.deepEqual([refused.stall(), taken.stall()], ["", ""]);
  monoMs = 11;
  // Not answered yet: the file system had no turn.
  assert.match(taken.stall(), /has hung/);
  await until("both were answered", () => refused.stall() === "" && taken.stall() === "");
  await until("the file is gone", () => {
    try {
      rmSync(join(dir, "probe.tmp"));
      return false;
    } catch {
      return true;
    }
  });
});

test("a socket that was removed or replaced is one that no app can find", (t) => {
  const path = join(tempDir(t), "agent.sock");
  writeFileSync(path, "");
  const part = new SocketFile(path);
  assert.equal(part.stall(), "");
  rmSync(path);
  assert.match(part.stall(), /was removed or replaced/);
});
