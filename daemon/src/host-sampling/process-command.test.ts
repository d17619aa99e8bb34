import assert from "node:assert/strict";
import { test } from "node:test";
import { ProcFixture } from "./proc-fixture.ts";
import { readProcessCommand } from "./process-command.ts";

const COMMANDS: [argv: string, shown: string][] = [
  ["/usr/bin/node\0/srv/shop/server.js\0--port=80\0", "node server.js"],
  ["node\0--import\0@apm-daemon/agent/register\0app.js\0", "node app.js"],
  ["node\0--max-old-space-size=64\0-r\0./hook.cjs\0dist/app.js\0", "node app.js"],
  ["node\0-e\0const password = 'x'\0", "node"],
  ["python3.11\0-m\0http.server\0", "python3.11"],
  ["/usr/bin/python3\0manage.py\0runserver\0", "python3 manage.py"],
  ["mysql\0-uroot\0-psecret\0", "mysql"],
  ["curl\0https://user:secret@example.com\0", "curl"],
  [
    "nginx: master process /usr/sbin/nginx -g daemon off;\0",
    "nginx: master process /usr/sbin/nginx -g daemon off;",
  ],
  ["postgres: shop shop 127.0.0.1(4711) idle\0\0\0\0", "postgres: shop shop 127.0.0.1(4711) idle"],
  ["sync: --password=hunter2 mysql://a:b@db/shop\0", "sync: --password=*** mysql://***@db/shop"],
  ["bash\0API_TOKEN=abc\0", "bash API_TOKEN=***"],
  ["", "[worker]"],
];

for (const [argv, shown] of COMMANDS) {
  test(`${JSON.stringify(argv)} is shown as ${shown}`, (t) => {
    const proc = new ProcFixture(t, { "7/cmdline": argv });
    assert.equal(readProcessCommand(proc.root, 7, "worker"), shown);
  });
}

test("a process that has gone keeps its kernel name", (t) => {
  assert.equal(readProcessCommand(new ProcFixture(t).root, 7, "worker"), "worker");
});

test("a title without end is cut", (t) => {
  const proc = new ProcFixture(t, { "7/cmdline": "x".repeat(5000) });
  assert.equal(readProcessCommand(proc.root, 7, "worker").length, 128);
});
