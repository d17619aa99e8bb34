import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { unhealthyReason } from "./collector-health.ts";

const LONG_MS = 60_000;

/** A server that answers everything alike; its address. */
async function serve(t: TestContext, status: number, body: string): Promise<string> {
  const server = createServer((_request, response) => {
    response.writeHead(status, { "content-type": "application/json" }).end(body);
  });
  t.after(() => server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("a healthy collector has no reason", async (t) => {
  assert.equal(await unhealthyReason(await serve(t, 200, '{"status":"ok"}'), LONG_MS), "");
});

test("a failing collector is quoted by its first answer", async (t) => {
  const url = await serve(t, 503, '{"status":"failing","reason":"the disk is too full"}');
  assert.equal(await unhealthyReason(url, LONG_MS), "the disk is too full");
  assert.equal(await unhealthyReason(await serve(t, 500, "null"), LONG_MS), "it answers with status 500");
});

test("one that does not answer is given up", async () => {
  assert.match(await unhealthyReason("http://127.0.0.1:1", 300), /^it does not answer at http:/);
});
