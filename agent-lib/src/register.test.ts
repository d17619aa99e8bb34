import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { DaemonPeer, until } from "./test-support/daemon-peer.ts";
import { appPath, REGISTER, runNode } from "./test-support/run-app.ts";

let peer: DaemonPeer;

beforeEach(async () => {
  peer = await new DaemonPeer().listen();
});

afterEach(() => peer.close());

const WAYS: [how: string, args: string[]][] = [
  ["an ES module under --import", ["--import", REGISTER, appPath("web.mjs")]],
  ["an ES module under --require", ["--require", REGISTER, appPath("web.mjs")]],
  ["a CommonJS app under --import", ["--import", REGISTER, appPath("web.cjs")]],
  ["a CommonJS app under --require", ["--require", REGISTER, appPath("web.cjs")]],
  ["an app that imports the agent first", [appPath("first-import.mjs")]],
];

for (const [how, args] of WAYS) {
  test(`${how} is recorded, and behaves as without the agent`, async () => {
    const plain = await runNode([args.at(-1) as string], { APM_DISABLED: "1" });
    const end = await runNode(args, { APM_SOCKET: peer.path, APM_APP_NAME: "shop" });
    assert.deepEqual(end, plain);
    assert.equal(end.stdout, "200 7\n");
    await until(() => peer.byes.length === 1, "the goodbye arrives");
    assert.equal(peer.hellos[0]?.app, "shop");
    const [server] = peer.named("GET /orgs/:org/users/:id");
    const [client] = peer.named("GET 127.0.0.1");
    assert.equal(peer.spans.length, 2);
    assert.equal(server?.parentId, client?.spanId);
    assert.equal(server?.attributes["http.route"], "/orgs/:org/users/:id");
    assert.equal(Buffer.concat(peer.received).includes("canary"), false);
  });
}

for (const how of ["natural", "exit", "exitCode", "throw", "reject"]) {
  for (const when of ["later", "at-once"]) {
    test(`ending by ${how}, ${when}: no span is lost, exit code and stderr stay`, async () => {
      const args = [appPath("exits.mjs"), how, when];
      const plain = await runNode(args);
      const end = await runNode(["--import", REGISTER, ...args], { APM_SOCKET: peer.path });
      assert.deepEqual(end, plain);
      await until(() => peer.byes.length === 1, "the goodbye arrives");
      assert.equal(peer.spans.length, 5_000);
      assert.deepEqual(peer.gaps, []);
      assert.equal(peer.byes[0]?.exitCode, plain.code);
    });
  }
}

test("without a daemon an app runs as before, with one line on stderr", async () => {
  const args = [appPath("exits.mjs"), "natural", "later"];
  const plain = await runNode(args);
  const end = await runNode(["--import", REGISTER, ...args], { APM_SOCKET: `${peer.folder}/none.sock` });
  assert.deepEqual({ ...end, stderr: "" }, plain);
  assert.equal(end.stderr.trim().split("\n").length, 1);
  const silent = await runNode(["--import", REGISTER, ...args], {
    APM_SOCKET: `${peer.folder}/none.sock`,
    APM_LOG: "off",
  });
  assert.deepEqual(silent, plain);
});

test("a daemon that never reads does not keep an app from ending", async () => {
  peer.behaviour = { onConnection: (socket) => socket.pause() };
  const args = [appPath("exits.mjs"), "natural", "later", "300000"];
  const end = await runNode(["--import", REGISTER, ...args], { APM_SOCKET: peer.path });
  assert.deepEqual([end.code, end.signal, end.stderr], [0, null, ""]);
});

test("a daemon that welcomes and then never reads does not either", async () => {
  const { behaviour } = peer;
  peer.behaviour = { ...behaviour, acknowledges: false };
  setTimeout(() => peer.pause(), 0);
  const args = [appPath("exits.mjs"), "exit", "later", "300000"];
  const end = await runNode(["--import", REGISTER, ...args], { APM_SOCKET: peer.path });
  assert.deepEqual([end.code, end.signal, end.stderr], [3, null, ""]);
});

test("threads and forked processes are instances of their own", async () => {
  await runNode(["--import", REGISTER, appPath("workers.mjs")], { APM_SOCKET: peer.path });
  await until(() => peer.spans.length === 3, "all three report");
  assert.deepEqual(peer.spans.map((span) => span.name).sort(), ["fork", "main", "thread"]);
  assert.equal(new Set(peer.hellos.map((hello) => hello.instance)).size, 3);
});

test("APM_DISABLED leaves the process alone", async () => {
  const end = await runNode(["--import", REGISTER, appPath("web.mjs")], {
    APM_SOCKET: peer.path,
    APM_DISABLED: "1",
  });
  assert.equal(end.stdout, "200 7\n");
  assert.equal(peer.hellos.length, 0);
});

test("a request that the process died of is an error with its exception", async () => {
  const plain = await runNode([appPath("crash-in-request.mjs")]);
  const end = await runNode(["--import", REGISTER, appPath("crash-in-request.mjs")], {
    APM_SOCKET: peer.path,
  });
  assert.equal(end.code, plain.code);
  assert.equal(end.stderr, plain.stderr);
  await until(() => peer.byes.length === 1, "the goodbye arrives");
  const entries = peer.spans.filter((span) => span.kind === 1);
  assert.equal(entries.length, 1);
  assert.equal(entries[0]?.hasError, true);
  assert.equal(entries[0]?.attributes["url.path"], "/crash");
  assert.equal(entries[0]?.attributes["error.type"], "TypeError");
  assert.equal(entries[0]?.extra.events?.[0]?.attributes["exception.message"], "handler broke");
});

for (const how of ["throw", "reject"]) {
  test(`an action that the process died of is an error with its exception (${how})`, async () => {
    const args = [appPath("crash-in-action.mjs"), how];
    const plain = await runNode(args);
    const end = await runNode(["--import", REGISTER, ...args], { APM_SOCKET: peer.path });
    assert.deepEqual(end, plain);
    await until(() => peer.byes.length === 1, "the goodbye arrives");
    assert.equal(peer.byes[0]?.error?.message, "job broke");
    const [job, ...others] = peer.spans;
    assert.deepEqual([job?.name, job?.hasError, others], ["nightly job", true, []]);
    assert.equal(job?.attributes["error.type"], "TypeError");
  });
}

test("a rejection that nobody handles breaks the request that it came from; the process dies as without the agent", async () => {
  const plain = await runNode([appPath("reject-in-request.mjs")]);
  const end = await runNode(["--import", REGISTER, appPath("reject-in-request.mjs")], {
    APM_SOCKET: peer.path,
  });
  assert.deepEqual(end, plain);
  assert.equal(end.code, 1);
  await until(() => peer.byes.length === 1, "the goodbye arrives");
  assert.equal(peer.byes[0]?.error?.type, "TypeError");
  const [entry] = peer.spans.filter((span) => span.kind === 1);
  assert.equal(entry?.attributes["error.type"], "TypeError");
  assert.equal(entry?.extra.events?.[0]?.attributes["exception.message"], "handler broke");
});

for (const mode of [[], ["--unhandled-rejections=strict"], ["--unhandled-rejections=warn"]]) {
  test(`a rejection that the app's own listener handles is its request's error: node ${mode.join("")}`, async () => {
    const args = [...mode, appPath("reject-in-request.mjs"), "handled"];
    const plain = await runNode(args);
    const end = await runNode(["--import", REGISTER, ...args], { APM_SOCKET: peer.path });
    assert.deepEqual([end.code, end.stdout], [plain.code, plain.stdout]);
    await until(() => peer.byes.length === 1, "the goodbye arrives");
    const [entry] = peer.spans.filter((span) => span.kind === 1);
    assert.equal(entry?.attributes["error.type"], "TypeError");
  });
}

test("spans that end in the app's own exit listeners arrive, and the goodbye counts them", async () => {
  const args = [appPath("exit-listeners.mjs")];
  const plain = await runNode(args);
  const end = await runNode(["--import", REGISTER, ...args], { APM_SOCKET: peer.path });
  assert.deepEqual(end, plain);
  assert.deepEqual([plain.code, plain.stdout], [7, "first 0\nsecond\n"]);
  await until(() => peer.spans.length === 102, "all spans arrive");
  await until(() => peer.byes.at(-1)?.spansCreated === 102, "the last goodbye counts all");
  const last = peer.byes.at(-1);
  assert.deepEqual([last?.spansFramed, last?.spansReported], [102, 0]);
});

test("packages that are symbolic links are loaded from where they point to, as without the agent", async () => {
  const folder = mkdtempSync(join(tmpdir(), "apm-links-"));
  try {
    mkdirSync(join(folder, "packages/one"), { recursive: true });
    mkdirSync(join(folder, "node_modules"));
    symlinkSync("../packages/one", join(folder, "node_modules/one"));
    const manifest = { name: "one", type: "module", exports: "./one.js" };
    writeFileSync(join(folder, "packages/one/package.json"), JSON.stringify(manifest));
    writeFileSync(join(folder, "packages/one/one.js"), "console.log(import.meta.url);\n");
    writeFileSync(
      join(folder, "app.mjs"),
      'import "one";\nimport "./packages/one/one.js";\nsetTimeout(() => import("one"), 200);\n',
    );
    const plain = await runNode([join(folder, "app.mjs")]);
    const env = { APM_SOCKET: peer.path };
    const end = await runNode(["--import", REGISTER, join(folder, "app.mjs")], env);
    assert.deepEqual(end, plain);
    assert.equal(plain.stdout.trim().split("\n").length, 1);
    await until(() => peer.hellos.length === 1, "it was connected");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
