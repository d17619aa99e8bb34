import assert from "node:assert/strict";
import { chmodSync, readFileSync } from "node:fs";
import { cpus, hostname, totalmem } from "node:os";
import { test } from "node:test";
import { readInventory } from "./inventory.ts";
import { ProcFixture } from "./proc-fixture.ts";

const ID = "3d1219c7c4c5404aaa1f6d2a48adfda4";

test("this machine is described whole", async (t) => {
  const state = new ProcFixture(t);
  const inventory = await readInventory({ daemonVersion: "1.2.3", hostIdFile: `${state.root}/host-id` });
  assert.match(inventory.id, /^[0-9a-f]{32}$/);
  assert.equal(inventory.name, hostname());
  assert.equal(inventory.cores, cpus().length);
  assert.equal(inventory.memTotalBytes, totalmem());
  assert.equal(inventory.daemonVersion, "1.2.3");
  for (const text of [
    inventory.os,
    inventory.kernel,
    inventory.arch,
    inventory.cpuModel,
    inventory.virtualization,
  ]) {
    assert.notEqual(text.trim(), "");
  }
  assert.ok(inventory.bootUnixMs > 1_500_000_000_000 && inventory.bootUnixMs < Date.now());
});

test("the machine id is the identity, and the name can be chosen", async (t) => {
  const etc = new ProcFixture(t, { "machine-id": `${ID}\n`, stat: "cpu 1\nbtime 1795421253\n" });
  const inventory = await readInventory({
    name: "web-1",
    daemonVersion: "1",
    hostIdFile: `${etc.root}/host-id`,
    machineIdFiles: [`${etc.root}/machine-id`],
    procRoot: etc.root,
  });
  assert.equal(inventory.id, ID);
  assert.equal(inventory.name, "web-1");
  assert.equal(inventory.bootUnixMs, 1_795_421_253_000);
});

test("without a usable machine id a random one is made once and kept", async (t) => {
  const etc = new ProcFixture(t, {
    uninitialized: "uninitialized\n",
    zero: `${"0".repeat(32)}\n`,
    empty: "",
  });
  const machineIdFiles = ["missing", "uninitialized", "zero", "empty"].map((file) => `${etc.root}/${file}`);
  const options = { daemonVersion: "1", hostIdFile: `${etc.root}/state/host-id`, machineIdFiles };
  const first = await readInventory(options);
  const second = await readInventory(options);
  assert.match(first.id, /^[0-9a-f]{32}$/);
  assert.equal(second.id, first.id);
  assert.equal(readFileSync(options.hostIdFile, "utf8"), `${first.id}\n`);
});

test("an identity that cannot be kept is an error, not a new host at each start", {
  skip: process.getuid?.() === 0 ? "root may write everywhere" : false,
}, async (t) => {
  const etc = new ProcFixture(t);
  chmodSync(etc.root, 0o500);
  const options = { daemonVersion: "1", hostIdFile: `${etc.root}/host-id`, machineIdFiles: [] };
  await assert.rejects(readInventory(options), { code: "EACCES" });
});

test("programs that take too long leave plain answers", async (t) => {
  const state = new ProcFixture(t);
  const options = { daemonVersion: "1", hostIdFile: `${state.root}/host-id`, timeoutMs: 1 };
  const inventory = await readInventory(options);
  assert.notEqual(inventory.os, "");
  assert.equal(inventory.virtualization, "unknown");
});
