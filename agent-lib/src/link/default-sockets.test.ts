import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { until } from "../test-support/daemon-peer.ts";
import { LinkedTracer } from "../test-support/linked-tracer.ts";
import { chosenSocket, defaultSockets, type SocketPlaces } from "./default-sockets.ts";

const uid = process.getuid?.() ?? 0;
const parent = mkdtempSync(join(tmpdir(), "apm-places-"));
after(() => rmSync(parent, { recursive: true, force: true }));
const folder = join(parent, `apm-daemon-${uid}`);
const socket = join(folder, "agent.sock");
/** Of the default places only that in the temp folder: the others are this machine's. */
const places: SocketPlaces = { ...defaultSockets({}, uid, parent), paths: [socket] };

test("the places in their order", () => {
  assert.deepEqual(defaultSockets({ XDG_RUNTIME_DIR: "/run/user/7" }, 7, "/t").paths, [
    "/run/user/7/apm-daemon/agent.sock",
    "/run/apm-daemon/agent.sock",
    "/t/apm-daemon-7/agent.sock",
  ]);
});

test("who listens in a temp folder that others may write, or that is another's, gets no connection", async (t) => {
  mkdirSync(folder);
  let connections = 0;
  const server = createServer((connection) => {
    connections++;
    connection.destroy();
  });
  await new Promise<void>((resolve) => {
    server.listen(socket, resolve);
  });
  t.after(() => server.close());
  const spoil = uid === 0 ? () => chownSync(folder, 65_534, 65_534) : () => chmodSync(folder, 0o777);
  spoil();
  const wary = new LinkedTracer(places);
  t.after(() => wary.stop());
  wary.link.start();
  await until(() => wary.lines.length > 1, "it says why");
  assert.match(wary.lines[0] ?? "", /the folder .* is not trusted: .*APM_SOCKET/);
  assert.equal(connections, 0);
  const chosen = new LinkedTracer(chosenSocket(socket));
  t.after(() => chosen.stop());
  chosen.link.start();
  await until(() => connections > 0, "a socket that was named is used");
});
