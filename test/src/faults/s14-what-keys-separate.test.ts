import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, describe, test } from "node:test";
import { batchFile, oneRequest } from "../support/batches.ts";
import { Cleanup } from "../support/cleanup.ts";
import { CollectorApi } from "../support/collector-api.ts";
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
      for (const call of ["apps", "apps/one/summary", "hosts", "fleet", "keys", "settings", "completeness"]) {
        const headers = { authorization: `Bearer ${key}` };
        assert.equal((await fetch(`${collector.url}/api/v1/${call}`, { headers })).status, 403, call);
      }
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
