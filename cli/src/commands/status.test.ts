import assert from "node:assert/strict";
import { once } from "node:events";
import { chmodSync, mkdirSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { createServer as createNetServer, type Server } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, describe, test } from "node:test";
import type { StatusReport } from "@apm-daemon/protocol";
import { runApm, spawnApm, tempFolder } from "../test-support/run-apm.ts";
import { sampleStatus } from "../test-support/sample-status.ts";

const servers: { close(): unknown }[] = [];

/** A state folder whose status socket is answered by `listener`. */
async function stateDirAnsweredBy(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  return listenBelow(server);
}

async function listenBelow(server: Server): Promise<string> {
  const dir = tempFolder();
  mkdirSync(join(dir, "run"));
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(join(dir, "run/status.sock"), () => resolve());
  });
  return dir;
}

function answering(status: StatusReport): RequestListener {
  return (request, response) => {
    if (request.url === "/status") response.end(JSON.stringify(status));
    else response.writeHead(404).end();
  };
}

after(() => {
  for (const server of servers) server.close();
});

describe("apm status", () => {
  test("shows a page without colours where there is no terminal, exit code 0", async () => {
    const dir = await stateDirAnsweredBy(answering(sampleStatus()));
    const { code, stdout, stderr } = await runApm(["status", "--state-dir", dir]);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /^web-1 {2}● ok/);
    assert.ok(!stdout.includes("\u001b"));
  });

  test("prints the daemon's answer as JSON", async () => {
    const dir = await stateDirAnsweredBy(answering(sampleStatus()));
    const { stdout } = await runApm(["status", "--json"], {
      cwd: dir,
      env: { APM_SOCKET: join(dir, "run/agent.sock") },
    });
    assert.deepEqual(JSON.parse(stdout), sampleStatus());
  });

  test("ends with 1 when the daemon is not well", async () => {
    for (const health of ["degraded", "failing"] as const) {
      const dir = await stateDirAnsweredBy(answering(sampleStatus({ health, problems: ["a reason"] })));
      const { code, stdout } = await runApm(["status", "--state-dir", dir]);
      assert.equal(code, 1);
      assert.match(stdout, /a reason/);
    }
  });

  test("ends with 3 where nothing listens, naming the socket and what to start", async () => {
    const dir = tempFolder();
    const { code, stdout, stderr } = await runApm(["status", "--state-dir", dir]);
    assert.deepEqual([code, stdout], [3, ""]);
    assert.match(stderr, /^apm: no daemon listens at .*run\/status\.sock; start one with "apm up"/);
  });

  test("does not ask who listens in a temp folder that others may write", async () => {
    const tmp = tempFolder();
    const dir = join(tmp, `apm-daemon-${process.getuid?.() ?? 0}`);
    mkdirSync(dir);
    chmodSync(dir, 0o777);
    const server = createServer(answering(sampleStatus({ host: "impostor" })));
    servers.push(server);
    await new Promise<void>((resolve) => {
      server.listen(join(dir, "status.sock"), () => resolve());
    });
    const { stdout, stderr } = await runApm(["status"], { env: { TMPDIR: tmp } });
    assert.ok(!stdout.includes("impostor"));
    assert.ok(stderr === "" || stderr.includes(`${dir} is not trusted: other users may write in it`), stderr);
    const named = await runApm(["status"], { env: { APM_SOCKET: join(dir, "agent.sock") } });
    assert.match(named.stdout, /^impostor/);
  });

  test("ends with 1 for answers that are none", async () => {
    const refusing = await stateDirAnsweredBy((_request, response) => response.writeHead(500).end("{}"));
    const garbled = await stateDirAnsweredBy((_request, response) => response.end("<html>"));
    const noHttp = await listenBelow(createNetServer((socket) => socket.end("hello\n")));
    for (const dir of [refusing, garbled, noHttp]) {
      const { code, stderr } = await runApm(["status", "--state-dir", dir]);
      assert.equal(code, 1, stderr);
      assert.match(stderr, /^apm: the daemon at .* gave no usable answer: .+\n$/);
    }
  });

  test("--watch --json prints a line each second until it is told to stop", async () => {
    const dir = await stateDirAnsweredBy(answering(sampleStatus()));
    const child = spawnApm(["status", "--watch", "--json", "--state-dir", dir]);
    assert.ok(child.stdout);
    let lines = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      assert.deepEqual(JSON.parse(line), sampleStatus());
      if (++lines === 2) child.kill("SIGINT");
    }
    if (child.exitCode === null) await once(child, "exit");
    assert.equal(lines, 2);
    assert.equal(child.exitCode, 0);
  });
});
