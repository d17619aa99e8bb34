import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { after, before, test } from "node:test";
import { start, status, stop } from "./index.ts";
import { DaemonPeer, until } from "./test-support/daemon-peer.ts";
import { AGENT_VERSION } from "./version.ts";

const peer = new DaemonPeer();

before(async () => {
  await peer.listen();
  start({ socket: peer.path, appName: "runtime", log: false });
});

after(async () => {
  stop();
  await peer.close();
});

test("runtime frames tell of loop, heap, spans and requests that hang", async () => {
  const server = createServer(() => undefined);
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const socket = connect((server.address() as AddressInfo).port);
  socket.write("GET /hang HTTP/1.1\r\nHost: a\r\n\r\n");
  await until(() => peer.runtime.some((frame) => frame.inFlight.length === 1), "the request is reported");
  const frame = peer.runtime.at(-1);
  assert.equal(frame?.inFlight[0]?.action, "GET (unmatched)");
  assert.match(frame?.inFlight[0]?.traceId ?? "", /^[0-9a-f]{32}$/);
  assert.ok((frame?.inFlight[0]?.ageMs ?? 0) >= 1_000);
  assert.ok((frame?.heapUsedBytes ?? 0) > 1_000_000);
  assert.ok((frame?.heapTotalBytes ?? 0) >= (frame?.heapUsedBytes ?? 0));
  assert.ok((frame?.eventLoopUtilizationRatio ?? -1) >= 0 && (frame?.eventLoopUtilizationRatio ?? 2) <= 1);
  socket.destroy();
  server.close();
});

test("status() tells what the agent does; the version is the package's", () => {
  assert.equal(status()?.link, "ready");
  assert.equal(status()?.internalErrors, 0);
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  assert.equal(AGENT_VERSION, version);
  assert.equal(peer.hellos[0]?.agentVersion, version);
  assert.equal(peer.hellos[0]?.app, "runtime");
  assert.equal(peer.hellos[0]?.appVersion, version);
});

test("a second start changes nothing, and after stop() nothing is recorded", async () => {
  start({ socket: "/nowhere", appName: "again" });
  assert.equal(status()?.link, "ready");
  stop();
  assert.equal(status(), null);
  await until(() => peer.byes.length === 1, "the goodbye arrives");
  const spans = peer.spans.length;
  const server = createServer((_request, response) => response.end());
  await new Promise<void>((resolve) => server.listen(0, resolve));
  assert.equal((await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)).status, 200);
  server.closeAllConnections();
  server.close();
  assert.equal(peer.spans.length, spans);
});
