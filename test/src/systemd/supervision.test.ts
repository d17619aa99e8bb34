// What systemd does for the daemon, and what the daemon tells it: reload, watchdog, memory limit, activation, folders, priorities.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { skipWithoutBoot } from "../support/booted-host.ts";
import { Cleanup } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { ServiceHost } from "../support/service-host.ts";
import { takeTurn } from "../support/take-turn.ts";

const VERSION = "0.0.1";
const CONFIG = "/etc/apm-daemon/daemon.toml";
/** Less than Node itself takes. */
const TOO_LITTLE = "MemoryMax=20M";

describe("apm-daemon under systemd's eyes", { skip: skipWithoutBoot() }, () => {
  const cleanup = new Cleanup();
  let service: ServiceHost;

  before(async () => {
    await takeTurn(cleanup);
    service = await ServiceHost.boot(cleanup, { versions: [VERSION] });
    service.install("apm-daemon", VERSION);
    await service.isActive();
  });
  after(() => cleanup.run());

  /** Here is no collector; that is all that may be wrong. */
  const isHealthy = (): Promise<void> =>
    eventually("the daemon is well", 60_000, () =>
      assert.deepEqual(
        service.status().problems.filter((problem) => !problem.startsWith("no connection to the collector")),
        [],
      ),
    );
  const restarts = (): number => Number(service.property("NRestarts"));

  test("a reload puts a changed configuration in force in the same process; a broken one is refused with its reason", async () => {
    const { host } = service;
    const pid = service.property("MainPID");
    host.write(CONFIG, 'host_name = "renamed"\nseal_interval_ms = 2000\nagent_socket_mode = "0666"\n');
    host.must("systemctl", "reload", "apm-daemon");
    await eventually("the new name is in force", 30_000, () =>
      assert.equal(service.status().host, "renamed"),
    );
    assert.match(service.log("warning"), /agent_socket_mode = .*0666.* has no effect/);

    host.write(CONFIG, 'host_name = "broken"\nseal_interval_ms = 1\n');
    assert.notEqual(host.run("systemctl", "reload", "apm-daemon").code, 0);
    assert.match(service.log(), /seal_interval_ms/);
    host.must("kill", "-HUP", pid);
    await eventually("who sends the signal is told in the log", 30_000, () =>
      assert.match(
        service.log("err"),
        /the configuration is not reloaded, the one before stays in force: .*seal_interval_ms/,
      ),
    );

    host.write(CONFIG, 'host_name = "lost"\nstate_dir = "/usr/none"\n');
    host.must("systemctl", "reload", "apm-daemon");
    await eventually("what only a start can find out is told too", 30_000, () =>
      assert.match(service.log("err"), /not reloaded, the one before stays in force: .*\/usr\/none/),
    );
    await service.isActive();
    assert.equal(service.status().host, "renamed");
    assert.deepEqual([service.property("MainPID"), restarts()], [pid, 0]);
    host.write(CONFIG, "");
    host.must("systemctl", "reload", "apm-daemon");
    await isHealthy();
  });

  test("the log's levels are the journal's priorities", () => {
    const graver = service.log("warning");
    assert.match(graver, /"level":50/);
    assert.doesNotMatch(graver, /"level":30/);
    assert.match(service.log("info"), /^\{"level":30,.*"the daemon is ready"/m);
  });

  test("the first connection starts it", async () => {
    const { host } = service;
    host.must("systemctl", "stop", "apm-daemon.service");
    assert.equal(service.property("ActiveState"), "inactive");
    const app = host.start(
      "apm",
      "run",
      "--name",
      "first",
      "--",
      "node",
      "-e",
      "setInterval(() => {}, 1000)",
    );
    cleanup.add(() => void app.kill());
    await service.isActive();
    await eventually("the app is known", 60_000, () =>
      assert.deepEqual(
        service.status().apps.map(({ app: name }) => name),
        ["first"],
      ),
    );
  });

  test("a daemon that hangs is aborted by the watchdog and comes back", async () => {
    service.override("WatchdogSec=5s", "TimeoutAbortSec=2s");
    service.host.must("systemctl", "restart", "apm-daemon");
    await isHealthy();
    const before = restarts();
    service.host.must("kill", "-STOP", service.property("MainPID"));
    await eventually("it was started again", 90_000, () => assert.ok(restarts() > before));
    assert.match(service.host.must("journalctl", "-u", "apm-daemon", "--no-pager"), /Watchdog timeout/i);
    await isHealthy();
    service.override();
    service.host.must("systemctl", "restart", "apm-daemon");
    await isHealthy();
  });

  test("at its memory limit the kernel kills it alone, systemd starts it again, and with enough it goes on where it was", async () => {
    const units = ["apm-daemon.socket", "apm-daemon.service"];
    // A limit below what a cgroup has is refused by the kernel's older interface.
    service.host.must("systemctl", "stop", ...units);
    service.override(TOO_LITTLE, "RestartSec=2s");
    service.host.must("systemctl", "start", "--no-block", ...units);
    await eventually("it was killed and started again", 60_000, () => {
      const state = ["ActiveState", "SubState", "Result"].map((name) => service.property(name)).join(", ");
      assert.ok(restarts() >= 1, `${state}: ${service.log().slice(-2_000)}`);
    });
    service.override();
    service.host.must("systemctl", "restart", "apm-daemon");
    await isHealthy();
    assert.ok(service.status().outbox.batches > 0, "what it had sealed is there");
  });

  test("without its state folder it makes it anew", async () => {
    const { host } = service;
    host.must("systemctl", "stop", "apm-daemon.socket", "apm-daemon.service");
    host.must("rm", "-rf", "/var/lib/apm-daemon", "/run/apm-daemon");
    host.must("systemctl", "start", "apm-daemon.socket", "apm-daemon.service");
    await isHealthy();
    assert.equal(host.must("stat", "-c", "%a %U", "/var/lib/apm-daemon").trim(), "700 apm-daemon");
  });

  test("sees all processes, and says what it cannot see of them and which drop-in shows it", async () => {
    const { host } = service;
    await eventually("processes of others are seen", 30_000, () =>
      assert.ok((service.status().sampling?.processes?.count ?? 0) >= 3),
    );
    const hidden = /disk work of \d+ is hidden: .*more-processes\.conf/;
    await eventually("those that worked are others'", 30_000, () =>
      assert.match(host.must("apm", "status"), hidden),
    );
    const drops = "/etc/systemd/system/apm-daemon.service.d";
    host.must("mkdir", "-p", drops);
    host.must("cp", "/usr/share/doc/apm-daemon/examples/more-processes.conf", drops);
    host.must("systemctl", "daemon-reload");
    host.must("systemctl", "restart", "apm-daemon");
    await isHealthy();
    // Processes that worked meanwhile would be counted as hidden.
    host.must("systemctl", "daemon-reload");
    await pause(3_000);
    assert.equal(service.status().sampling?.processes?.ioHidden, 0);
  });
});
