import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, describe, test } from "node:test";
import { batchFile, oneRequest } from "../support/batches.ts";
import { Cleanup } from "../support/cleanup.ts";
import { CollectorApi } from "../support/collector-api.ts";
import { type DocumentedCall, documentedCalls, pathOf } from "../support/documented-calls.ts";
import { eventually } from "../support/eventually.ts";
import {
  createKeyFile,
  createToken,
  runApm,
  StateDir,
  setPassword,
  startCollector,
} from "../support/system.ts";
import { refusedUpgrade, UplinkSocket } from "../support/uplink-socket.ts";

const UPLINK_SUBPROTOCOL = "apm-uplink.v1";

/** Who asks whether a log-in is needed has none yet. */
const EVERYBODYS = ["/api/v1/session", "/api/v1/login", "/api/v1/logout"];
/** What a key is told of its own daemon. */
const ITS_OWN = ["/api/v1/server", "/api/v1/ledger"];

/** What comes of a call with a key or a token. */
async function asked(
  url: string,
  call: DocumentedCall,
  bearer: string,
): Promise<{ status: number; code: string }> {
  const answer = await fetch(url + pathOf(call, { app: "one", host: "foreign" }), {
    method: call.method,
    headers: { authorization: `Bearer ${bearer}`, "content-type": "application/json" },
    ...(call.method !== "GET" && { body: "{}" }),
  });
  const { error } = (await answer.json()) as { error?: { code?: string } };
  return { status: answer.status, code: error?.code ?? "" };
}

/** There are no tenants: one console shows what all hosts report. Keys separate who may report. */
describe("S14: what license keys separate", () => {
  const cleanup = new Cleanup();
  after(() => cleanup.run());

  test("each cuts off its own host alone, and none reads what any host sent", async () => {
    const stateDir = new StateDir(cleanup);
    await setPassword(stateDir);
    const collector = await startCollector(cleanup, stateDir);
    const api = new CollectorApi(collector.url, Date.now(), await createToken(stateDir, "reader"));
    const hosts = [];
    for (const name of ["one", "two"]) {
      const key = readFileSync(await createKeyFile(stateDir, name), "utf8").trim();
      const uplink = await UplinkSocket.open(cleanup, collector.uplinkUrl, key);
      const stream = randomUUID();
      uplink.sendHello(stream);
      await uplink.waitFor("welcome");
      const apps = [{ app: name, apdexTMs: 500, instances: [] }];
      uplink.send(batchFile(stream, 1, { apps, actions: [oneRequest(name, "GET /")] }));
      await uplink.waitFor("ack");
      hosts.push({ name, key, uplink, stream });
    }
    const [one, two] = hosts;
    assert.ok(one && two);
    assert.deepEqual((await api.apps()).map(({ app }) => app).sort(), ["one", "two"]);
    const { daemons } = await api.get<{ daemons: { stream: string; key: string }[] }>("fleet");
    assert.deepEqual(
      daemons.map(({ stream, key }) => [stream, key].join()).sort(),
      hosts.map(({ stream, name }) => [stream, name].join()).sort(),
    );

    for (const { key } of hosts) {
      for (const call of documentedCalls()) {
        const { status, code } = await asked(collector.url, call, key);
        const expected =
          EVERYBODYS.includes(call.path) || ITS_OWN.includes(call.path) ? "" : "403 NOT_ALLOWED";
        if (expected !== "") assert.equal(`${status} ${code}`, expected, `${call.method} ${call.path}`);
      }
    }
    const reader = await createToken(stateDir, "another reader");
    for (const call of documentedCalls().filter(({ path }) => !EVERYBODYS.includes(path))) {
      const { status, code } = await asked(collector.url, call, reader);
      const isReading = call.method === "GET" || call.path.endsWith("/fetch");
      assert.equal(code === "NOT_ALLOWED", !isReading, `${call.method} ${call.path}: ${status} ${code}`);
      assert.notEqual(status, 401, `${call.method} ${call.path}`);
    }

    assert.equal((await runApm(["key", "revoke", "one", "--state-dir", stateDir.path])).code, 0);
    await eventually("the host of that key is cut off", 20_000, () => assert.equal(one.uplink.isOpen, false));
    assert.equal(two.uplink.isOpen, true);
    const again = await refusedUpgrade(collector.uplinkUrl, one.key, UPLINK_SUBPROTOCOL);
    assert.equal(again.status, 401);
    assert.deepEqual((await api.apps()).map(({ app }) => app).sort(), ["one", "two"], "what it sent stays");
    const headers = { authorization: `Bearer ${one.key}` };
    assert.equal((await fetch(`${collector.url}/api/v1/server`, { headers })).status, 401);
  });
});
