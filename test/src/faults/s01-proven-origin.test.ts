import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { StatusApp } from "@apm-daemon/protocol";
import { Cleanup } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { startLoneDaemon } from "../support/lone-daemon.ts";
import { findProgram } from "../support/parts.ts";
import { NOBODY, Peer } from "../support/peer.ts";
import type { Program } from "../support/program.ts";
import { requestFrame } from "../support/request-frame.ts";
import { runApm, type StateDir } from "../support/system.ts";

/** Decides nothing but how long a broken build is waited for; machines may be busy. */
const PATIENCE_MS = 90_000;

const isRoot = process.getuid?.() === 0;
const skip =
  process.platform !== "linux" ? "needs Linux" : isRoot ? false : "needs root, to become a second user";
const TOML = 'seal_interval_ms = 1000\nagent_socket_mode = "0666"\n';

function instancesOf(apps: readonly StatusApp[], name: string): StatusApp["instances"] {
  const app = apps.find((candidate) => candidate.app === name);
  if (app === undefined) throw new Error(`no app ${name} in ${JSON.stringify(apps)}`);
  return app.instances;
}

describe("S1: uid and pid of an app are the kernel's word", { skip }, () => {
  const cleanup = new Cleanup();
  let state: StateDir;
  let framesFile: string;
  let daemon: Program;

  before(async () => {
    ({ stateDir: state, program: daemon } = await startLoneDaemon(cleanup, { toml: TOML }));
    framesFile = join(dirname(state.path), "frame");
    writeFileSync(framesFile, requestFrame(10));
  });
  after(() => cleanup.run());

  test("who claims another process's pid and start is shown and sampled as itself", async () => {
    const claims = { claimedPid: daemon.pid, claimedStartUnixMs: Date.now() };
    const liar = Peer.start(cleanup, state.agentSocket, { app: "liar", ...claims }, { uid: NOBODY });
    await liar.waitFor("welcomed", PATIENCE_MS, ({ welcomed }) => welcomed === 1);
    const [instance] = await eventually("its own memory is sampled", PATIENCE_MS, async () => {
      const { apps, intake } = await state.status();
      assert.equal(intake.falsePids, 1);
      assert.equal(intake.origin, "proven");
      const instances = instancesOf(apps, "liar");
      assert.ok(instances[0]?.rssBytes, JSON.stringify(instances));
      return instances;
    });
    assert.equal(instance?.origin, "proven");
    assert.equal(instance.uid, NOBODY);
    assert.equal(instance.pid, liar.program.pid);
    assert.equal(instance.claimedPid, daemon.pid);
    await liar.program.kill();
  });

  test("nobody acknowledges the frames of another user's app away, and that app goes on", async () => {
    const mine = { instancePrefix: "a".repeat(24), app: "mine", framesFile };
    const app = Peer.start(cleanup, state.agentSocket, { ...mine, behaviour: "paced", everyMs: 50 });
    await app.waitFor("acknowledged", PATIENCE_MS, ({ ackedFrames }) => ackedFrames > 3);
    const before = await state.status();
    const thief = Peer.start(
      cleanup,
      state.agentSocket,
      { ...mine, behaviour: "flood", firstUnacknowledged: 1_000_000, claimedPid: app.program.pid },
      { uid: NOBODY },
    );
    const refused = await thief.waitFor("refused", PATIENCE_MS, ({ closed }) => closed === 1);
    assert.deepEqual(refused.refused, { INSTANCE_TAKEN: 1 });
    assert.equal(refused.welcomed, 0);
    assert.match(refused.refusals[0] ?? "", /belongs to another user of this host/);
    const { ackedFrames } = app.state();
    await app.waitFor("it goes on", PATIENCE_MS, (now) => now.ackedFrames > ackedFrames + 5);
    const status = await state.status();
    assert.equal(status.intake.refusedBy?.["instance_of_other_uid"], 1);
    assert.equal(status.intake.sequenceJumps, before.intake.sequenceJumps);
    assert.equal(status.intake.duplicates, before.intake.duplicates);
    await app.program.kill();
  });

  test("the binding to a user survives a restart of the daemon", async () => {
    const mine = { instancePrefix: "b".repeat(24), app: "bound", framesFile, frames: 3, everyMs: 50 };
    const app = Peer.start(cleanup, state.agentSocket, { ...mine, behaviour: "paced" });
    await app.waitFor("acknowledged", PATIENCE_MS, ({ finished }) => finished === 1);
    await daemon.kill();
    ({ program: daemon } = await startLoneDaemon(cleanup, { toml: TOML, stateDir: state }));
    const thief = Peer.start(cleanup, state.agentSocket, { ...mine, behaviour: "flood" }, { uid: NOBODY });
    const refused = await thief.waitFor("refused", PATIENCE_MS, ({ closed }) => closed === 1);
    assert.deepEqual(refused.refused, { INSTANCE_TAKEN: 1 });
  });

  test("a process that gives its rights up keeps its instance", async () => {
    const options = { instancePrefix: "c".repeat(24), app: "setuid", becomeUid: NOBODY };
    const app = Peer.start(cleanup, state.agentSocket, options);
    const seen = await app.waitFor(
      "welcomed twice",
      PATIENCE_MS,
      ({ welcomed, closed }) => welcomed === 2 || closed > 0,
    );
    assert.deepEqual(seen.refused, {});
    const { apps } = await state.status();
    assert.deepEqual(
      instancesOf(apps, "setuid").map(({ uid, pid }) => [uid, pid]),
      [[NOBODY, app.program.pid]],
    );
    await app.program.kill();
  });

  const unshare = findProgram("unshare");
  test("an app in a container says its inner pid, and is sampled as the host's process", {
    skip: unshare === null ? "not installed: util-linux" : false,
  }, async () => {
    const prefix = [unshare as string, "--pid", "--fork", "--kill-child"];
    const app = Peer.start(cleanup, state.agentSocket, { app: "contained" }, { prefix });
    const { pid } = await app.waitFor("welcomed", PATIENCE_MS, ({ welcomed }) => welcomed === 1);
    assert.equal(pid, 1, "it is the first process of its own pid namespace");
    const [instance] = await eventually("its memory is sampled", PATIENCE_MS, async () => {
      const { apps, intake } = await state.status();
      assert.equal(intake.falsePids, 0);
      const instances = instancesOf(apps, "contained");
      assert.ok(instances[0]?.rssBytes, JSON.stringify(instances));
      return instances;
    });
    assert.ok(instance !== undefined && instance.pid > 1);
    assert.equal(instance.claimedPid, 1);
    assert.equal(instance.origin, "proven");
    await app.program.kill();
  });

  test("a daemon that may not ask the kernel shows what apps claim as claimed", async () => {
    // Node's permission model forbids native code, so that koffi cannot be loaded.
    const permission =
      Number(process.versions.node.split(".")[0]) < 22 ? "--experimental-permission" : "--permission";
    const allowed = ["--allow-fs-read=*", "--allow-fs-write=*", "--allow-child-process", "--allow-worker"];
    const { stateDir: blind, program } = await startLoneDaemon(cleanup, {
      toml: TOML,
      nodeOptions: [permission, ...allowed],
    });
    await program.waitForOutput(/not proven but as they claim: the optional package koffi cannot be loaded/);
    const app = Peer.start(cleanup, blind.agentSocket, { app: "claiming", claimedPid: 4_000_000 });
    await app.waitFor("welcomed", PATIENCE_MS, ({ welcomed }) => welcomed === 1);
    const { intake, apps } = await blind.status();
    assert.equal(intake.origin, "claimed");
    const [instance] = instancesOf(apps, "claiming");
    assert.deepEqual([instance?.origin, instance?.uid, instance?.pid], ["claimed", null, 4_000_000]);
    const text = await runApm(["status", "--state-dir", blind.path]);
    assert.match(text.stdout, /origin +claimed: uid and pid of the apps are not proven by the kernel/);
    assert.match(text.stdout, /claiming .* 1 claimed/);
  });
});
