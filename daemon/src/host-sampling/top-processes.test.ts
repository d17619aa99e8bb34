import assert from "node:assert/strict";
import { userInfo } from "node:os";
import { test } from "node:test";
import { ProcFixture } from "./proc-fixture.ts";
import { ProcScanner } from "./proc-scanner.ts";
import { TopProcesses } from "./top-processes.ts";

interface Process {
  name?: string;
  userTicks?: number;
  systemTicks?: number;
  threads?: number;
  startTicks?: number;
  rssPages?: number;
}

function stat(pid: number, process: Process): string {
  const {
    name = "app",
    userTicks = 0,
    systemTicks = 0,
    threads = 1,
    startTicks = 100,
    rssPages = 0,
  } = process;
  const middle = `S 1 ${pid} ${pid} 0 -1 4194304 1 2 3 4 ${userTicks} ${systemTicks} 70 80 20 0 ${threads} 0`;
  return `${pid} (${name}) ${middle} ${startTicks} 99999 ${rssPages} 18446744073709551615 1 1 0 0\n`;
}

function write(proc: ProcFixture, pid: number, process: Process): void {
  proc.write(`${pid}/stat`, stat(pid, process));
  proc.write(`${pid}/cmdline`, `/bin/${process.name ?? "app"}\0`);
}

function topOf(proc: ProcFixture): TopProcesses {
  proc.write("uptime", "1000.00 1900.00\n");
  const passwdFile = `${proc.root}/passwd`;
  proc.write("passwd", `me:x:${userInfo().uid}:0::/:/bin/sh\n`);
  return new TopProcesses({ procRoot: proc.root, passwdFile, pageBytes: 4096, scanner: new ProcScanner() });
}

test("the share is that between two rounds; user, command, memory and threads come with it", (t) => {
  const proc = new ProcFixture(t);
  write(proc, 42, { name: "shop", userTicks: 1000, systemTicks: 500, threads: 11, rssPages: 3 });
  const top = topOf(proc);
  top.tick(0);
  write(proc, 42, { name: "shop", userTicks: 1600, systemTicks: 900, threads: 11, rssPages: 3 });
  top.tick(5_000);
  top.tick(10_000);
  assert.deepEqual(top.top(), [
    { pid: 42, user: "me", command: "shop", cpuRatio: 1, rssBytes: 12_288, threads: 11 },
  ]);
});

test("at first sight the share is the average since the process began", (t) => {
  const proc = new ProcFixture(t);
  write(proc, 42, { userTicks: 1000, startTicks: 98_000 });
  const top = topOf(proc);
  top.tick(0);
  assert.equal(top.top()[0]?.cpuRatio, 0.5);
});

test("an idle process that wakes is seen within three rounds", (t) => {
  const proc = new ProcFixture(t);
  for (const pid of [41, 42, 43]) write(proc, pid, { rssPages: 1 });
  const top = topOf(proc);
  top.tick(0);
  top.tick(10_000);
  for (const pid of [41, 42, 43]) write(proc, pid, { rssPages: 1, userTicks: 600 });
  const seen = new Map<number, number>();
  for (const round of [2, 3, 4]) {
    top.tick(round * 10_000);
    for (const { pid, cpuRatio } of top.top()) if (cpuRatio > 0) seen.set(pid, cpuRatio);
  }
  // Six seconds of CPU since the visit before, 20 or 30 s ago.
  assert.deepEqual(
    [...seen.values()].sort((a, b) => a - b),
    [0.2, 0.2, 0.3],
  );
});

test("a reused pid is another process", (t) => {
  const proc = new ProcFixture(t);
  write(proc, 42, { userTicks: 90_000, startTicks: 100 });
  const top = topOf(proc);
  top.tick(0);
  write(proc, 42, { name: "new", userTicks: 100, startTicks: 99_900 });
  top.tick(10_000);
  assert.equal(top.top()[0]?.command, "new");
  assert.equal(top.top()[0]?.cpuRatio, 1);
});

test("names with spaces, brackets and numbers do not shift the columns", (t) => {
  const proc = new ProcFixture(t);
  write(proc, 42, { name: "a) S 1 (b 7", rssPages: 5, threads: 4 });
  const top = topOf(proc);
  top.tick(0);
  assert.equal(top.top()[0]?.rssBytes, 20_480);
  assert.equal(top.top()[0]?.threads, 4);
});

test("ten by CPU and ten by memory, each once", (t) => {
  const proc = new ProcFixture(t);
  for (let i = 1; i <= 30; i++)
    write(proc, i, { userTicks: i <= 15 ? i * 100 : 0, rssPages: i >= 15 ? i : 1 });
  const top = topOf(proc);
  top.tick(0);
  const pids = top.top().map(({ pid }) => pid);
  assert.deepEqual(pids.slice(0, 10), [15, 14, 13, 12, 11, 10, 9, 8, 7, 6]);
  assert.deepEqual(pids.slice(10), [30, 29, 28, 27, 26, 25, 24, 23, 22, 21]);
});

test("a round over many processes takes several ticks", (t) => {
  const proc = new ProcFixture(t);
  for (let pid = 1; pid <= 300; pid++) write(proc, pid, { rssPages: 301 - pid });
  const top = topOf(proc);
  top.tick(0);
  top.tick(1_000);
  assert.notEqual(top.top()[0]?.pid, 1);
  top.tick(2_000);
  assert.equal(top.top()[0]?.pid, 1);
});

test("processes that went, vanish between listing and reading, or cannot be understood are left out", (t) => {
  const proc = new ProcFixture(t, {
    "9/stat": "9 (cut) S 1 9 9 0\n",
    "10/stat": "garbage\n",
    "11/status": "",
  });
  write(proc, 42, { rssPages: 5 });
  const top = topOf(proc);
  top.tick(0);
  assert.deepEqual(
    top.top().map(({ pid }) => pid),
    [42],
  );
  proc.remove("42");
  top.tick(10_000);
  assert.deepEqual(top.top(), []);
});

test("without /proc there are none", () => {
  const options = {
    procRoot: "/nonexistent",
    passwdFile: "/nonexistent",
    pageBytes: 4096,
    scanner: new ProcScanner(),
  };
  const top = new TopProcesses(options);
  top.tick(0);
  assert.deepEqual(top.top(), []);
});
