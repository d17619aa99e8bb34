import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { BOOT_UNIX_MS, ProcFiles } from "../testing/proc-files.ts";
import { findContainerProcess } from "./container-process.ts";
import { findOwnProcess, readProcessState } from "./process-state.ts";

test("a running process, one that a signal ends, one that exits, and one whose status is not ours to know", (t) => {
  const files = new ProcFiles(t);
  files.process(7, 123, "S", 9);
  assert.deepEqual(readProcessState(files.procRoot, 7), {
    startTicks: 123,
    isEnding: false,
    signal: null,
    exitStatus: null,
  });
  files.process(7, 123, "Z", 9);
  assert.equal(readProcessState(files.procRoot, 7)?.signal, 9);
  files.process(7, 123, "Z", 128 + 11); // With a core dump.
  assert.equal(readProcessState(files.procRoot, 7)?.signal, 11);
  files.process(7, 123, "X", 3 << 8);
  assert.deepEqual(readProcessState(files.procRoot, 7), {
    startTicks: 123,
    isEnding: true,
    signal: null,
    exitStatus: 3,
  });
  files.process(7, 123, "Z", 0);
  assert.deepEqual(readProcessState(files.procRoot, 7), {
    startTicks: 123,
    isEnding: true,
    signal: null,
    exitStatus: null,
  });
  assert.equal(readProcessState(files.procRoot, 8), null);
});

test("a pid belongs to an app only if the process began when the app says it did", (t) => {
  const files = new ProcFiles(t);
  files.process(7, 1_000);
  const beganUnixMs = BOOT_UNIX_MS + 10_000;
  assert.equal(findOwnProcess(files.procRoot, 7, beganUnixMs + 30_000)?.startTicks, 1_000);
  assert.equal(findOwnProcess(files.procRoot, 7, beganUnixMs + 30_001), null);
});

test("a process of a container is found by its innermost pid, unless there are two", async (t) => {
  const files = new ProcFiles(t);
  const isIt = (pid: number): boolean => pid !== 300;
  files.write("proc/100/status", "Name:\tnode\nNSpid:\t100\t7\n");
  files.write("proc/200/status", "Name:\tnode\nNSpid:\t200\t8\n");
  files.write("proc/300/status", "Name:\tnode\nNSpid:\t300\t7\n");
  files.write("proc/7/status", "Name:\tother\nNSpid:\t7\n");
  assert.equal(await findContainerProcess(files.procRoot, 7, isIt), 100);
  assert.equal(await findContainerProcess(files.procRoot, 9, isIt), null);
  assert.equal(await findContainerProcess(files.procRoot, 7, () => true), null);
});

test("a real process is found while it lives, and not after", {
  skip: process.platform !== "linux",
}, async () => {
  const child = spawn(process.execPath, [
    "-e",
    "console.log(performance.timeOrigin); setInterval(() => {}, 1e6)",
  ]);
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const pid = child.pid ?? 0;
  const state = findOwnProcess("/proc", pid, Number(line));
  assert.ok(state !== null && !state.isEnding);
  child.kill("SIGKILL");
  await once(child, "exit");
  assert.notEqual(readProcessState("/proc", pid)?.startTicks, state.startTicks);
});
