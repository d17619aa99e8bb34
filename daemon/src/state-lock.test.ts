import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { claimStateDir } from "./state-lock.ts";
import { tempDir } from "./testing/temp-dir.ts";
import { until } from "./testing/until.ts";

const onLinux = { skip: process.platform !== "linux" };

test(
  "a state folder is claimed once, under whatever name, and can be claimed again after its release",
  onLinux,
  async (t) => {
    const dir = tempDir(t);
    const state = join(dir, "state");
    const release = await claimStateDir(state);
    symlinkSync(state, join(dir, "other-name"));
    for (const name of [state, join(dir, "other-name")])
      await assert.rejects(claimStateDir(name), {
        code: "STATE_DIR_IN_USE",
        message: new RegExp(`another daemon \\(process ${process.pid}\\) works in .*: stop it, or`),
      });
    const other = await claimStateDir(join(dir, "other"));
    other();
    release();
    let again: (() => void) | null = null;
    await until("the folder is free", async () => {
      again = await claimStateDir(state).catch(() => null);
      return again !== null;
    });
    (again as (() => void) | null)?.();
  },
);

test("the claim dies with its process, however that dies", onLinux, async (t) => {
  const dir = tempDir(t);
  const module = join(import.meta.dirname, "state-lock.js");
  const script = `const { claimStateDir } = await import(${JSON.stringify(module)});
    await claimStateDir(${JSON.stringify(dir)}); setInterval(() => {}, 1000); console.log("claimed");`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script]);
  t.after(() => child.kill("SIGKILL"));
  await once(child.stdout, "data");
  await assert.rejects(claimStateDir(dir), { code: "STATE_DIR_IN_USE" });
  child.kill("SIGKILL");
  await once(child, "exit");
  const release = await claimStateDir(dir);
  release();
});

test("somebody who connects to the claim neither gets anything nor holds the process", onLinux, async (t) => {
  const dir = tempDir(t);
  const module = join(import.meta.dirname, "state-lock.js");
  const script = `const { claimStateDir } = await import(${JSON.stringify(module)}); const { statSync } = await import("node:fs");
    const release = await claimStateDir(${JSON.stringify(dir)}); const { dev, ino } = statSync(${JSON.stringify(dir)});
    process.stdin.once("data", () => { release(); process.stdin.destroy(); }); console.log(dev + "-" + ino);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script]);
  t.after(() => child.kill("SIGKILL"));
  const [identity] = (await once(child.stdout, "data")) as [Buffer];
  const curious = connect(`\0apm-daemon-${identity.toString().trim()}`);
  curious.on("error", () => undefined);
  await once(curious, "close");
  child.stdin.write("end\n");
  const [code] = (await once(child, "exit")) as [number];
  assert.equal(code, 0);
});

test("a folder that cannot be made says what to do", async (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, "file"), "");
  await assert.rejects(claimStateDir(join(dir, "file", "state")), {
    code: "STATE_DIR_NOT_WRITABLE",
    message: /cannot be made or written \(ENOTDIR\).*--state-dir/,
  });
});

test("a folder that cannot be written says so", { skip: process.getuid?.() === 0 }, async (t) => {
  const dir = join(tempDir(t), "state");
  mkdirSync(dir, { mode: 0o500 });
  await assert.rejects(claimStateDir(dir), { code: "STATE_DIR_NOT_WRITABLE" });
});

test("other users may pass through a folder that was made, to its sockets, and nothing else", async (t) => {
  const dir = join(tempDir(t), "state");
  const before = process.umask(0);
  t.after(() => process.umask(before));
  const release = await claimStateDir(dir);
  t.after(release);
  assert.equal(statSync(dir).mode & 0o777, 0o711);
});
