import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type DaemonConfig, DaemonConfigSchema } from "./config.ts";
import { startDaemon } from "./daemon.ts";
import { AgentPeer } from "./testing/agent-peer.ts";
import { LoggedLines } from "./testing/logged-lines.ts";
import { tempDir } from "./testing/temp-dir.ts";

function configOf(dir: string, changes: object = {}): DaemonConfig {
  return DaemonConfigSchema.parse({
    state_dir: dir,
    run_dir: join(dir, "run"),
    host_name: "test",
    ...changes,
  });
}

const descriptors = (): number => readdirSync("/proc/self/fd").length;

test("a reload puts the whole of another configuration in force, one that cannot be used leaves the one before, and neither leaves anything behind", async (t) => {
  const dir = tempDir(t);
  const { log } = new LoggedLines();
  const daemon = await startDaemon({ config: configOf(dir), version: "1", log });
  const socket = join(dir, "run", "agent.sock");
  try {
    const before = await AgentPeer.greet(socket);
    assert.equal(before.welcome?.settings.sql, "obfuscated");
    assert.equal(await daemon.reload(configOf(dir, { settings: { sql: "off" } })), null);
    assert.equal(before.isClosed, true, "its agent comes again, and is told the new settings");
    const after = await AgentPeer.greet(socket);
    assert.equal(after.welcome?.settings.sql, "off");
    after.socket.destroy();

    const refused = await daemon.reload(configOf(dir, { state_dir: "/dev/null/none" }));
    assert.match(refused?.message ?? "", /\/dev\/null\/none/);
    const still = await AgentPeer.greet(socket);
    assert.equal(still.welcome?.settings.sql, "off");
    still.socket.destroy();

    const descriptorsThen = descriptors();
    const resourcesThen = process.getActiveResourcesInfo().length;
    for (let time = 0; time < 5; time++) assert.equal(await daemon.reload(configOf(dir)), null);
    assert.ok(descriptors() <= descriptorsThen + 3, `${descriptorsThen} descriptors, then ${descriptors()}`);
    const resources = process.getActiveResourcesInfo();
    assert.ok(resources.length <= resourcesThen + 3, `${resourcesThen} resources, then ${resources.join()}`);
  } finally {
    await daemon.stop();
  }
});
