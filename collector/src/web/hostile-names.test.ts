import assert from "node:assert/strict";
import { test } from "node:test";
import { RunningCollector } from "../testing/running-collector.ts";
import { encoded, sampleHeader, sampleHost, sampleRequests, WINDOW_SEC } from "../testing/sample-batch.ts";

const HOSTILE = [
  `it's "quoted" \`here\` \\`,
  "'; DROP TABLE requests; --",
  "<script>alert(1)</script><img src=x onerror=alert(1)>",
  "../../etc/passwd",
  "a/b?c=d&e#f%2F%00%",
  "$app $1 {{x}} ${y}",
  "line\nbreak\ttab\u0000nul\u001b[31m",
  "\u202Egnp.exe 应用 🦊 e\u0301",
  "__proto__",
  "constructor",
  " ",
  ".",
  "null",
];

test("names are text and nothing else, wherever they come back", async () => {
  const collector = await RunningCollector.start();
  const uplink = await collector.uplink();
  for (const name of HOSTILE) {
    uplink.socket.send(
      encoded(
        sampleHeader({
          host: sampleHost({ name, os: name }),
          apps: [
            {
              app: name,
              apdexTMs: 500,
              instances: [{ instance: name, pid: 1, runtime: name, agentVersion: name, startUnixMs: 1 }],
            },
          ],
          actions: [sampleRequests([1_000], { app: name, action: name })],
          operations: [
            {
              tsSec: WINDOW_SEC,
              app: name,
              action: name,
              category: "database",
              system: name,
              target: name,
              operation: name,
              statement: name,
              calls: 1,
              errors: 0,
              sumUs: 1,
              maxUs: 1,
              histogram: { buckets: [0], counts: [1] },
            },
          ],
          statements: [{ fingerprint: name, app: name, system: name, text: name }],
          errors: [
            {
              tsSec: WINDOW_SEC,
              app: name,
              action: name,
              group: name,
              type: name,
              message: name,
              stack: name,
              count: 1,
              traceId: name,
            },
          ],
          ledger: [{ tsSec: WINDOW_SEC, app: name, received: 1, dropped: { [name]: 1 } }],
        }),
      ),
    );
  }
  for (const name of HOSTILE) {
    const answer = await uplink.next();
    assert.equal(answer.type, "ack", JSON.stringify([name, answer]));
  }
  await uplink.close();

  const { body: apps } = await collector.get<{ apps: { app: string; requests: number }[] }>("apps");
  assert.deepEqual(apps.apps.map(({ app }) => app).sort(), [...HOSTILE].sort());
  assert.ok(apps.apps.every(({ requests }) => requests === 1));
  const { body: hosts } = await collector.get<{ hosts: { host: string; os: string; apps: string[] }[] }>(
    "hosts",
  );
  assert.deepEqual(hosts.hosts.map(({ host }) => host).sort(), [...HOSTILE].sort());
  for (const { host, os, apps: own } of hosts.hosts) assert.deepEqual([os, own], [host, [host]]);

  for (const name of HOSTILE.filter((name) => name !== ".")) {
    const app = encodeURIComponent(name);
    const summary = await collector.get<{ app: string; requests: number }>(`apps/${app}/summary`);
    assert.deepEqual([summary.status, summary.body.app, summary.body.requests], [200, name, 1], name);
    const actions = await collector.get<{ actions: { action: string }[] }>(`apps/${app}/actions`);
    assert.deepEqual(
      actions.body.actions.map(({ action }) => action),
      [name],
    );
    const one = await collector.get<{ statusCodes: { count: number }[] }>(
      `apps/${app}/status-codes?action=${app}`,
    );
    assert.deepEqual(
      one.body.statusCodes.map(({ count }) => count),
      [1],
      name,
    );
    const operations = await collector.get<{ operations: { operation: string; statementText: string }[] }>(
      `apps/${app}/operations?action=${app}`,
    );
    assert.deepEqual(
      operations.body.operations.map(({ operation, statementText }) => [operation, statementText]),
      [[name, name]],
    );
    const errors = await collector.get<{ errors: { message: string; stack: string }[] }>(
      `apps/${app}/errors`,
    );
    assert.deepEqual(
      errors.body.errors.map(({ message, stack }) => [message, stack]),
      [[name, name]],
    );
    const processes = await collector.get<{ processes: { runtime: string }[] }>(`hosts/${app}/processes`);
    assert.deepEqual(
      processes.body.processes.map(({ runtime }) => runtime),
      [name],
    );
  }
  await collector.end();
});

test("text that asks for a name in SQL finds only that name", async () => {
  const collector = await RunningCollector.start();
  const uplink = await collector.uplink();
  await uplink.deliver(sampleHeader({ actions: [sampleRequests([1])] }));
  for (const injected of ["' OR 1=1 --", "shop' --", "%", "_hop", "SHOP"]) {
    const name = encodeURIComponent(injected);
    assert.equal((await collector.get(`apps/${name}/summary`)).status, 404, injected);
    assert.equal((await collector.get(`hosts/${name}/series`)).status, 404, injected);
    const { body } = await collector.get<{ requests: number }>(`apps/shop/status-codes?action=${name}`);
    assert.equal(body.requests, 0, injected);
  }
  await uplink.close();
  await collector.end();
});
