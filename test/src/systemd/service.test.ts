// The package on a host that systemd runs: what an admin does with systemctl, and what an app notices of it.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { StatusReport } from "@apm-daemon/protocol";
import { BootedHost, skipWithoutBoot, TREE } from "../support/booted-host.ts";
import { Cleanup } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { takeTurn } from "../support/take-turn.ts";

const ROOT = resolve(import.meta.dirname, "../../..");
const VERSIONS = ["0.0.1", "0.0.2"] as const;
const REQUESTS = 2_000;
/** Here Node.js need not have come as a package. */
const INSTALL = ["--force-depends", "--install"];
const COLLECTOR_STATE = "/var/lib/apm-test-collector";
const COLLECTOR = [
  process.execPath,
  `${TREE}/cli/bundle/main.js`,
  "collector",
  "--state-dir",
  COLLECTOR_STATE,
  "--listen",
  "127.0.0.1:8460",
];
const FETCH = `fetch("http://127.0.0.1:8460/" + process.argv[1])
  .then(async (answer) => { if (!answer.ok) throw new Error(String(answer.status)); console.log(await answer.text()); })
  .catch((error) => { console.error(String(error)); process.exitCode = 1; });`;
const ASK = [process.execPath, "-e", FETCH] as const;

function packageOf(version: string): string {
  const arch = execFileSync("dpkg", ["--print-architecture"], { encoding: "utf8" }).trim();
  return `apm-daemon_${version}_${arch}.deb`;
}

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
  let host: BootedHost;
  let packages: string;

  const status = (): StatusReport => JSON.parse(host.run("apm", "status", "--json").stdout) as StatusReport;
  const isActive = (): Promise<void> =>
    eventually("the daemon runs", 60_000, () => {
      assert.equal(host.unit("apm-daemon.service", "ActiveState"), "active");
    });

  before(async () => {
    await takeTurn(cleanup);
    packages = cleanup.tempDir();
    for (const version of VERSIONS) {
      const args = ["--quick", "--daemon-only", "--version", version, "--out", packages];
      execFileSync(process.execPath, [join(ROOT, "systemd/deb/build.mjs"), ...args]);
    }
    host = await BootedHost.boot(cleanup);
    for (const name of readdirSync(packages)) host.take(join(packages, name));
    host.write("/root/app.js", APP);
    host.must("systemd-run", "--unit=collector", "-p", "Environment=UV_THREADPOOL_SIZE=16", ...COLLECTOR);
    await eventually("the collector answers", 60_000, () => host.must(...ASK, "healthz"));
  });
  after(() => cleanup.run());

  test("is installed by one package, runs at once with two sockets, and says in a line how it is", async () => {
    const said = host.must("dpkg", ...INSTALL, `/root/${packageOf(VERSIONS[0])}`);
    assert.match(said, /this host is watched; see it with: apm status/);
    assert.match(said, /license\.key/);
    await isActive();
    assert.equal(host.unit("apm-daemon.socket", "ActiveState"), "active");
    assert.equal(host.must("stat", "-c", "%a %U", "/etc/apm-daemon/license.key").trim(), "600 root");
    assert.equal(
      host.must("stat", "-c", "%a %U %G", "/run/apm-daemon/agent.sock").trim(),
      "660 apm-daemon apm-daemon",
    );
    assert.match(host.unit("apm-daemon.service", "StatusText"), /^0 apps connected; collector /);
    assert.equal(host.must("systemctl", "is-enabled", "apm-daemon.service").trim(), "enabled");
    await eventually("the host is sampled, others' processes too", 30_000, () => {
      const { version, sampling, hostSecond } = status();
      assert.equal(version, VERSIONS[0]);
      assert.deepEqual(sampling?.failing, []);
      assert.ok((sampling?.processes?.count ?? 0) >= 3, "systemd, the journal, the collector");
      assert.ok((hostSecond["memTotalBytes"] ?? 0) > 0);
    });
    assert.equal(host.unit("apm-daemon.service", "NRestarts"), "0");
  });

  test("reports as soon as it has a key", async () => {
    await eventually("the collector's refusal is in the status", 30_000, () =>
      assert.match(status().problems.join(), /refuses the license key/),
    );
    const [node = "", main = ""] = COLLECTOR;
    const key = host.must(node, main, "key", "create", "web", "--state-dir", COLLECTOR_STATE);
    host.write("/etc/apm-daemon/license.key", key);
    host.must("systemctl", "restart", "apm-daemon");
    await eventually("the daemon is connected", 60_000, () =>
      assert.deepEqual([status().health, status().problems], ["ok", []]),
    );
    await eventually("systemctl shows it too", 30_000, () =>
      assert.match(host.unit("apm-daemon.service", "StatusText"), /collector connected/),
    );
  });

  test("loses nothing of an app while it is restarted, killed, stopped and upgraded", async () => {
    const app = host.start("apm", "run", "--name", "shop", "--", "node", "/root/app.js");
    await once(app.stdout as NodeJS.ReadableStream, "data");
    const ended = once(app, "exit");
    await pause(1_000);
    host.must("systemctl", "restart", "apm-daemon");
    await pause(1_000);
    host.must("kill", "-9", host.unit("apm-daemon.service", "MainPID"));
    await isActive();
    const from = performance.now();
    host.must("systemctl", "stop", "apm-daemon.service");
    assert.ok(performance.now() - from < 30_000, "promised are 5 s on a machine with time");
    await eventually("who connects starts it", 60_000, () => assert.equal(host.run("apm", "status").code, 0));
    host.must("dpkg", ...INSTALL, `/root/${packageOf(VERSIONS[1])}`);
    await isActive();
    assert.equal(status().version, VERSIONS[1]);
    assert.deepEqual((await ended)[0], 0);
    await eventually("each request is stored", 60_000, () => {
      const answer = JSON.parse(host.must(...ASK, "api/v1/apps")) as {
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
    host.must("dpkg", "--purge", "apm-daemon");
    for (const path of ["/var/lib/apm-daemon", "/etc/apm-daemon", "/usr/bin/apm"])
      assert.notEqual(host.run("ls", path).code, 0, path);
    assert.equal(host.unit("apm-daemon.socket", "LoadState"), "not-found");
  });
});
