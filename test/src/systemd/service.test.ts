// The packages on a host that systemd runs: what an admin does with dpkg and systemctl, and what an app notices of it.

import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { type BootedHost, skipWithoutBoot, TREE } from "../support/booted-host.ts";
import { Cleanup } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { ServiceHost } from "../support/service-host.ts";
import { takeTurn } from "../support/take-turn.ts";

const VERSIONS = ["0.0.1", "0.0.2"] as const;
const REQUESTS = 2_000;
const COLLECTOR = "http://127.0.0.1:8460";
const KEY_FILE = "/etc/apm-daemon/license.key";

/** Asks itself, a hundred times a second, and ends when its spans are acknowledged. */
const APP = `
const { createServer, get } = require("node:http");
const server = createServer((request, response) => response.end("ok")).listen(8080, "127.0.0.1", async () => {
  for (let i = 0; i < ${REQUESTS}; i++) {
    await new Promise((done) => get("http://127.0.0.1:8080/buy", (response) => response.resume().on("end", done)));
    if (i === 0) console.log("up");
    await new Promise((done) => setTimeout(done, 10));
  }
  console.log("all asked");
  setTimeout(() => process.exit(0), 5_000);
});
`;

describe("apm-daemon as a service", { skip: skipWithoutBoot() }, () => {
  const cleanup = new Cleanup();
  let service: ServiceHost;
  let host: BootedHost;

  before(async () => {
    await takeTurn(cleanup);
    service = await ServiceHost.boot(cleanup, { versions: VERSIONS, withCollector: true });
    host = service.host;
    host.write("/root/app.js", APP);
  });
  after(() => cleanup.run());

  const collectorAnswers = (): Promise<void> =>
    eventually("the collector answers", 60_000, () => void service.fetch(`${COLLECTOR}/healthz`));

  test("is installed by one package, runs at once with two sockets, and says in a line how it is", async () => {
    const said = service.install("apm-daemon", VERSIONS[0]);
    assert.match(said, /this host is watched; see it with: apm status/);
    assert.match(said, /license\.key/);
    await service.isActive();
    assert.equal(host.unit("apm-daemon.socket", "ActiveState"), "active");
    assert.equal(host.must("stat", "-c", "%a %U", KEY_FILE).trim(), "600 root");
    assert.equal(
      host.must("stat", "-c", "%a %U %G", "/run/apm-daemon/agent.sock").trim(),
      "660 apm-daemon apm-daemon",
    );
    assert.match(service.property("StatusText"), /^0 apps connected, 0 spans\/s; collector /);
    assert.equal(host.must("systemctl", "is-enabled", "apm-daemon.service").trim(), "enabled");
    await eventually("the host is sampled, others' processes too", 30_000, () => {
      const { version, sampling, hostSecond } = service.status();
      assert.equal(version, VERSIONS[0]);
      assert.deepEqual(sampling?.failing, []);
      assert.ok((sampling?.processes?.count ?? 0) >= 3, "systemd, the journal, the daemon");
      assert.ok((hostSecond["memTotalBytes"] ?? 0) > 0);
    });
    assert.equal(service.property("NRestarts"), "0");
    assert.match(
      host.run("apm", "service", "install").stderr,
      /the package apm-daemon is installed and has its unit/,
    );
  });

  test("the collector's package serves the console", async () => {
    service.install("apm-collector", VERSIONS[0]);
    await collectorAnswers();
    assert.match(service.fetch(COLLECTOR), /<html/);
    assert.equal(host.unit("apm-collector.service", "ActiveState"), "active");
  });

  test("says that a key is missing or wrong, works on, and reports as soon as it has a right one", async () => {
    const isRefused = (): Promise<void> =>
      eventually("the collector's refusal is in the status", 60_000, () =>
        assert.match(service.status().problems.join(), /refuses the license key/),
      );
    await isRefused();
    const key = host.must("apm", "key", "create", "web");
    host.write(KEY_FILE, key.replace(/.{8}\s*$/, "00000000\n"));
    host.must("systemctl", "restart", "apm-daemon");
    await isRefused();
    await service.isActive();
    host.write(KEY_FILE, key);
    host.must("systemctl", "restart", "apm-daemon");
    await eventually("the daemon is connected", 60_000, () =>
      assert.deepEqual([service.status().health, service.status().problems], ["ok", []]),
    );
    await eventually("systemctl shows it too", 30_000, () =>
      assert.match(service.property("StatusText"), /collector connected/),
    );
  });

  test("loses nothing of an app while it is restarted, killed, stopped, and upgraded with batches that wait", async () => {
    const app = host.start("apm", "run", "--name", "shop", "--", "node", "/root/app.js");
    await once(app.stdout as NodeJS.ReadableStream, "data");
    const ended = once(app, "exit");
    await pause(1_000);
    host.must("systemctl", "restart", "apm-daemon");
    await pause(1_000);
    host.must("kill", "-9", service.property("MainPID"));
    await service.isActive();
    const from = performance.now();
    host.must("systemctl", "stop", "apm-daemon.service");
    assert.ok(performance.now() - from < 30_000, "promised are 5 s on a machine with time");
    await eventually("who connects starts it", 60_000, () => void service.status());
    host.must("systemctl", "stop", "apm-collector");
    await eventually("batches wait for the collector", 60_000, () =>
      assert.ok(service.status().outbox.batches > 0),
    );
    service.install("apm-daemon", VERSIONS[1]);
    await service.isActive();
    assert.equal(service.status().version, VERSIONS[1]);
    assert.deepEqual((await ended)[0], 0);
    assert.ok(service.status().outbox.batches > 0, "they still wait");
    host.must("systemctl", "start", "apm-collector");
    await eventually("each request is stored", 90_000, () => {
      const answer = JSON.parse(service.fetch(`${COLLECTOR}/api/v1/apps`)) as {
        apps: { app: string; requests: number }[];
      };
      assert.deepEqual(
        answer.apps.map(({ app: name, requests }) => [name, requests]),
        [["shop", REQUESTS]],
      );
    });
    assert.match(host.must("apm", "audit"), /complete/);
  });

  test("is gone with its state when it is purged", () => {
    host.must("dpkg", "--purge", "apm-collector");
    assert.equal(host.unit("apm-collector.service", "LoadState"), "not-found");
    host.must("dpkg", "--purge", "apm-daemon");
    for (const path of ["/var/lib/apm-daemon", "/var/lib/apm-collector", "/etc/apm-daemon", "/usr/bin/apm"])
      assert.notEqual(host.run("ls", path).code, 0, path);
    assert.equal(host.unit("apm-daemon.socket", "LoadState"), "not-found");
  });

  test("without a package, apm service install does the same, and takes away what it wrote", async () => {
    const apm = [process.execPath, `${TREE}/cli/bundle/main.js`] as const;
    for (let time = 0; time < 2; time++)
      assert.match(
        host.must(...apm, "service", "install"),
        /wrote .*apm-daemon\.service[^]*this host is watched/,
      );
    await service.isActive();
    assert.equal(
      host.must("stat", "-c", "%U %G", "/run/apm-daemon/agent.sock").trim(),
      "apm-daemon apm-daemon",
    );
    assert.match(host.run(...apm, "status").stdout, /apm-daemon/);
    assert.match(host.must(...apm, "service", "install", "--dry-run"), /ExecStart=\/.*main\.js daemon/);
    host.must(...apm, "service", "uninstall");
    assert.equal(service.property("LoadState"), "not-found");
    assert.match(host.run(...apm, "service", "uninstall").stderr, /has installed nothing here/);
  });
});
