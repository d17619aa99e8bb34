import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { tempDir } from "../testing/temp-dir.ts";
import { openPeerCredentials } from "./peer-credentials.ts";

const skip = process.platform === "linux" ? false : "needs Linux";

test("the kernel says whose process is at the other end, also when that is gone", { skip }, async (t) => {
  const read = await openPeerCredentials();
  assert.ok(typeof read !== "string", String(read));
  const path = join(tempDir(t), "s");
  const server = createServer({ allowHalfOpen: true });
  server.listen(path);
  t.after(() => server.close());
  const client = connect(path);
  const [socket] = (await once(server, "connection")) as [Socket];
  const self = { uid: process.getuid?.(), gid: process.getgid?.(), pid: process.pid };
  assert.deepEqual(read(socket), self);
  client.destroy();
  socket.resume();
  await once(socket, "end");
  assert.deepEqual(read(socket), self);
  socket.destroy();
  assert.equal(read(socket), null);
});

test("where the kernel is not known to tell, the reason is said", async () => {
  assert.match(
    String(await openPeerCredentials("darwin", "arm64")),
    /^on darwin arm64 the kernel is not asked/,
  );
  assert.match(String(await openPeerCredentials("linux", "mips")), /^on linux mips /);
});
