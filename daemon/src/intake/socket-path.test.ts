import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { AgentPeer } from "../testing/agent-peer.ts";
import { tempDir } from "../testing/temp-dir.ts";
import { listenOnSocket } from "./socket-path.ts";

function server(t: TestContext): Server {
  const made = createServer((socket) => socket.destroy());
  t.after(() => made.close());
  return made;
}

/** A socket file that nobody listens on, as kill -9 leaves it. */
function leaveStale(path: string): void {
  const script = `require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))`;
  spawnSync(process.execPath, ["-e", script, path]);
  assert.ok(statSync(path).isSocket());
}

test("the socket has its mode, whatever the umask, which stays as it was", async (t) => {
  for (const mode of [0o660, 0o600, 0o666]) {
    const path = join(tempDir(t), "agent.sock");
    const before = process.umask(0o022);
    await listenOnSocket(server(t), path, mode);
    assert.equal(statSync(path).mode & 0o777, mode);
    assert.equal(process.umask(before), 0o022);
  }
});

test("the socket has its mode at once, before anybody could connect", (t) => {
  const dir = tempDir(t);
  const path = join(dir, "agent.sock");
  const listening = createServer();
  t.after(() => listening.close());
  const umask = process.umask(0);
  const started = listenOnSocket(listening, path, 0o600);
  process.umask(umask);
  return started.then(() => assert.equal(statSync(path).mode & 0o777, 0o600));
});

test("the folder is made", async (t) => {
  const path = join(tempDir(t), "run", "deep", "agent.sock");
  await listenOnSocket(server(t), path, 0o660);
  assert.ok(statSync(path).isSocket());
});

test("a live socket is left to its owner", async (t) => {
  const path = join(tempDir(t), "agent.sock");
  await listenOnSocket(server(t), path, 0o660);
  await assert.rejects(listenOnSocket(server(t), path, 0o660), { code: "SOCKET_IN_USE" });
  const peer = await AgentPeer.connect(path);
  peer.socket.destroy();
});

test("a socket that nobody listens on is replaced", async (t) => {
  const path = join(tempDir(t), "agent.sock");
  leaveStale(path);
  await listenOnSocket(server(t), path, 0o660);
  const peer = await AgentPeer.connect(path);
  peer.socket.destroy();
});

test("a file, a folder and a link that lie there are left alone", async (t) => {
  const dir = tempDir(t);
  const file = join(dir, "file");
  writeFileSync(file, "precious");
  const folder = join(dir, "folder");
  mkdirSync(folder);
  const link = join(dir, "link");
  symlinkSync(file, link);
  const dangling = join(dir, "dangling");
  symlinkSync(join(dir, "nowhere"), dangling);
  const stale = join(dir, "stale.sock");
  leaveStale(stale);
  const linkToStale = join(dir, "link-to-stale");
  symlinkSync(stale, linkToStale);
  for (const path of [file, folder, link, dangling, linkToStale])
    await assert.rejects(listenOnSocket(server(t), path, 0o660), { code: "SOCKET_PATH_TAKEN" }, path);
  assert.equal(readFileSync(file, "utf8"), "precious");
  assert.ok(lstatSync(link).isSymbolicLink());
  assert.ok(existsSync(stale));
});

test("107 bytes of path are taken, 108 refused before anything is made", async (t) => {
  const dir = tempDir(t);
  const pathOf = (bytes: number): string => join(dir, "ü".repeat(2), "s").padEnd(bytes - 2, "s");
  const longest = pathOf(107);
  assert.equal(Buffer.byteLength(longest), 107);
  await listenOnSocket(server(t), longest, 0o660);
  assert.ok(statSync(longest).isSocket());
  await assert.rejects(listenOnSocket(server(t), `${longest}s`, 0o660), {
    code: "SOCKET_PATH_TOO_LONG",
    message: /108 bytes, the system allows 107/,
  });
});

test("a folder that cannot be made says so", async (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, "file"), "");
  await assert.rejects(listenOnSocket(server(t), join(dir, "file", "agent.sock"), 0o660), {
    code: "SOCKET_UNUSABLE",
    message: /cannot listen on .*agent.sock \(EEXIST\): choose another run_dir/,
  });
});

test("others may reach a socket in the folder that was made, whatever the umask grants more", async (t) => {
  const path = join(tempDir(t), "run", "agent.sock");
  const before = process.umask(0);
  await listenOnSocket(server(t), path, 0o666).finally(() => process.umask(before));
  assert.equal(statSync(join(path, "..")).mode & 0o777, 0o755);
});
