import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startHello } from "./support/apps.ts";
import { Cleanup } from "./support/cleanup.ts";
import { eventually } from "./support/eventually.ts";
import { freePort } from "./support/free-port.ts";
import { skipWithout } from "./support/parts.ts";
import type { Program } from "./support/program.ts";
import {
  type Collector,
  createKeyFile,
  runApm,
  StateDir,
  startCollector,
  startDaemon,
} from "./support/system.ts";

interface Finding {
  what: string;
  level: "well" | "warning" | "failure" | "unseen";
  found: string;
  remedy: string | null;
}

interface Examination {
  code: number | null;
  findings: Finding[];
  of: (what: string) => Finding[];
  failures: string[];
}

const isRoot = process.getuid?.() === 0;
const NOBODY = { uid: 65_534, gid: 65_534 };
const SHOP = fileURLToPath(new URL("../apps/shop/", import.meta.url));
const FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

async function doctor(
  args: string[],
  env: Record<string, string> = {},
  user: { uid?: number; gid?: number } = {},
): Promise<Examination> {
  const { code, stdout, output } = await runApm(["doctor", "--json", ...args], env, user);
  assert.notEqual(stdout, "", output);
  const { findings } = JSON.parse(stdout) as { findings: Finding[] };
  return {
    code,
    findings,
    of: (what) => findings.filter((finding) => finding.what === what),
    failures: findings.filter(({ level }) => level === "failure").map(({ what }) => what),
  };
}

/** One thing is wrong, the doctor says what with `mention` and offers a remedy. */
function assertFailed(examination: Examination, what: string, mention: RegExp): void {
  assert.equal(examination.code, 1, JSON.stringify(examination.findings));
  const [failed] = examination.of(what).filter(({ level }) => level === "failure");
  assert.ok(failed, JSON.stringify(examination.findings, null, 1));
  assert.match(failed.found, mention);
  assert.ok((failed.remedy ?? "").length > 5, `no remedy: ${JSON.stringify(failed)}`);
}

describe("apm doctor beside a running daemon and collector", () => {
  const cleanup = new Cleanup();
  let collector: Collector;
  let stateDir: StateDir;
  let daemon: Program;
  let keyFile: string;

  before(async () => {
    collector = await startCollector(cleanup, new StateDir(cleanup));
    stateDir = new StateDir(cleanup);
    keyFile = await createKeyFile(collector.stateDir, "doctor");
    daemon = await startDaemon(cleanup, { stateDir, collectorUrl: collector.uplinkUrl, keyFile });
  });
  after(() => cleanup.run());

  test("finds nothing wrong where nothing is, in one line each, and ends with 0", async () => {
    await startHello(cleanup, { by: "--require", socket: stateDir.agentSocket });
    await eventually("the app is connected and all is sent", 20_000, async () => {
      const { apps, outbox } = await stateDir.status();
      assert.deepEqual([apps.map(({ app }) => app), outbox.batches], [["hello"], 0]);
    });
    const { code, findings, of } = await doctor(["--state-dir", stateDir.path, "--app-dir", SHOP]);
    const bad = findings.filter(({ level }) => level === "failure" || level === "unseen");
    assert.deepEqual([code, bad], [0, []]);
    assert.match(of("daemon")[0]?.found ?? "", new RegExp(`pid ${daemon.pid}, .*ok$`));
    assert.match(of("license key")[0]?.found ?? "", /accepted by the collector$/);
    assert.match(of("apps")[0]?.found ?? "", /^hello \(/);
    assert.match(of("libraries")[0]?.found ?? "", /express 5\.\d.*pg 8\.\d.*redis 6\./);
    assert.match(of("release")[0]?.found ?? "", /this command, daemon, collector, agents$/);
    const { stdout } = await runApm(["doctor", "--state-dir", stateDir.path]);
    assert.ok(stdout.split("\n").filter((line) => line.startsWith("✓ ")).length >= 14, stdout);
  });

  test("tells a key that the collector does not know, and never shows it", async () => {
    const wrong = join(cleanup.tempDir(), "wrong.key");
    const key = `apm_${"x".repeat(43)}`;
    writeFileSync(wrong, `${key}\n`, { mode: 0o644 });
    const own = new StateDir(cleanup);
    const examination = await doctor(["--state-dir", own.path, "--collector", collector.uplinkUrl], {
      APM_LICENSE_KEY_FILE: wrong,
    });
    assertFailed(examination, "license key", /has mode 0644: others may read it$/);
    assert.ok(examination.of("license key").some(({ found }) => found.endsWith("does not know this key")));
    assert.ok(!JSON.stringify(examination.findings).includes("xxxx"));
  });

  test("warns when this host's clock is an hour off", {
    skip: existsSync(FAKETIME) ? false : skipWithout("faketime") || `there is no ${FAKETIME}`,
  }, async () => {
    const { code, of } = await doctor(["--state-dir", stateDir.path], {
      LD_PRELOAD: FAKETIME,
      DONT_FAKE_MONOTONIC: "1",
      FAKETIME: "+3600s",
    });
    assert.equal(of("clock")[0]?.level, "warning");
    assert.match(of("clock")[0]?.found ?? "", /^60 min ahead of the collector's/);
    assert.equal(
      of("journal")[0]?.level,
      "failure",
      "as it seems to this clock, nothing was sealed for an hour",
    );
    assert.equal(code, 1);
  });

  test("tells another user that the socket does not let it in, and what it could not look at", {
    skip: isRoot ? false : "needs root to become another user",
  }, async () => {
    chmodSync(dirname(stateDir.path), 0o755);
    const examination = await doctor(["--state-dir", stateDir.path], { HOME: "/nonexistent" }, NOBODY);
    assertFailed(examination, "agent socket", /mode 0660, group \S+: this user may not connect$/);
    assert.match(examination.of("agent socket")[0]?.remedy ?? "", /agent_socket_mode = "0666"/);
    for (const what of ["state folder", "daemon", "journal", "outbox", "collector", "license key"])
      assert.deepEqual(
        examination.of(what).map(({ level }) => level),
        ["unseen"],
        what,
      );
    assert.deepEqual(examination.failures, ["agent socket"]);
  });

  test("tells each mistake in the configuration, with its line", async () => {
    const file = join(cleanup.tempDir(), "daemon.toml");
    writeFileSync(file, "seal_interval_ms = 5\n[journal]\ncap_byte = 7\n");
    const examination = await doctor(["--state-dir", stateDir.path, "--config", file]);
    assertFailed(examination, "configuration", /daemon\.toml:1: seal_interval_ms: expected a whole number/);
    assert.equal(examination.of("configuration").length, 2);
    assert.equal(examination.of("daemon")[0]?.level, "well", "and looks at the rest nevertheless");
  });

  test("tells what a daemon that was killed left behind", async () => {
    await daemon.kill();
    const examination = await doctor(["--state-dir", stateDir.path]);
    assertFailed(examination, "daemon", /none answers at .*status\.sock$/);
    assertFailed(examination, "agent socket", /agent\.sock is stale/);
  });
});

describe("apm doctor where a part is missing", () => {
  const cleanup = new Cleanup();
  after(() => cleanup.run());

  test("says why the collector cannot be reached", async () => {
    const down = await doctor([
      "--state-dir",
      new StateDir(cleanup).path,
      "--collector",
      `ws://127.0.0.1:${await freePort()}`,
    ]);
    assertFailed(down, "collector", /nothing listens there$/);
    const unknown = await doctor([
      "--state-dir",
      new StateDir(cleanup).path,
      "--collector",
      "ws://nobody.invalid:1",
    ]);
    assertFailed(unknown, "collector", /its host name (is unknown|could not be looked up)$/);
  });

  test("tells a daemon that hangs from one that is not there", async () => {
    const collector = await startCollector(cleanup, new StateDir(cleanup));
    const stateDir = new StateDir(cleanup);
    const keyFile = await createKeyFile(collector.stateDir, "hangs");
    const daemon = await startDaemon(cleanup, { stateDir, collectorUrl: collector.uplinkUrl, keyFile });
    process.kill(daemon.pid, "SIGSTOP");
    cleanup.add(() => void process.kill(daemon.pid, "SIGCONT"));
    assertFailed(
      await doctor(["--state-dir", stateDir.path]),
      "daemon",
      new RegExp(`process ${daemon.pid} holds .* but does not answer`),
    );
  });

  test("sees a disk that is nearly full", {
    skip: isRoot ? false : "needs root to mount a small disk",
  }, async () => {
    const dir = cleanup.tempDir();
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", dir]);
    cleanup.add(() => void execFileSync("umount", [dir]));
    const stateDir = join(dir, "state");
    mkdirSync(stateDir);
    assertFailed(await doctor(["--state-dir", stateDir]), "disk space", /^nearly full: \d.* free/);
  });

  test("refuses an address that is none, with 2", async () => {
    const { code, stderr } = await runApm(["doctor", "--collector", "localhost:8460"]);
    assert.deepEqual([code, /ws:\/\//.test(stderr)], [2, true]);
  });
});
