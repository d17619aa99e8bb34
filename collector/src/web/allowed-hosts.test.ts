import assert from "node:assert/strict";
import * as http from "node:http";
import { hostname } from "node:os";
import { test } from "node:test";
import { RunningCollector } from "../testing/running-collector.ts";
import { AllowedHosts } from "./allowed-hosts.ts";

function ask(url: string, path: string, host: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const request = http.get(`${url}${path}`, { headers: { host } }, async (response) => {
      let body = "";
      for await (const part of response.setEncoding("utf8")) body += part as string;
      resolve({ status: response.statusCode ?? 0, body });
    });
    request.on("error", reject);
  });
}

test("a page that points its own name at the collector reads nothing", async (t) => {
  const collector = await RunningCollector.start({
    listen: "localhost:0",
    allowed_hosts: ["APM.example.com"],
  });
  t.after(() => collector.end());
  const url = collector.url.replace("localhost", "127.0.0.1");
  const port = new URL(url).port;
  for (const host of ["rebound.example", "example.com", "localhost.example", "127.0.0.1.example"])
    for (const path of ["/api/v1/apps", "/healthz", "/"]) {
      const { status, body } = await ask(url, path, `${host}:${port}`);
      assert.equal(status, 421, `${host}${path}`);
      assert.match(body, /"HOST_NOT_ALLOWED".*allowed_hosts/);
    }
  for (const host of [
    "127.0.0.1",
    "192.0.2.7",
    "[::1]",
    "localhost",
    "LOCALHOST",
    "apm.localhost",
    hostname(),
  ])
    for (const address of [host, `${host}:${port}`])
      assert.equal((await ask(url, "/api/v1/apps", address)).status, 200, address);
  assert.equal((await ask(url, "/api/v1/apps", "apm.example.com")).status, 200);
});

test("the host to listen on is a name of the collector", () => {
  const hosts = new AllowedHosts(["apm.internal:8460"]);
  assert.ok(hosts.accepts("apm.internal:1"));
  assert.ok(hosts.accepts("apm.internal."));
  assert.ok(!hosts.accepts("internal"));
  assert.ok(!hosts.accepts(undefined));
  for (const host of ["", "a@localhost", "localhost/x", "rebound.example#localhost", "::1::"])
    assert.ok(!hosts.accepts(host), host);
});
