import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { type DaemonConfig, DaemonConfigSchema } from "@apm-daemon/daemon";
import { tempFolder } from "../test-support/run-apm.ts";
import { ConfigError, type ConfigRequest, loadConfig } from "./load-config.ts";

const folder = tempFolder();
let files = 0;

/** A request for the daemon's configuration with `toml` as its file. */
function request(toml: string, more: Partial<ConfigRequest<DaemonConfig>> = {}): ConfigRequest<DaemonConfig> {
  const path = join(folder, `daemon-${files++}.toml`);
  writeFileSync(path, toml);
  return {
    program: "daemon",
    schema: DaemonConfigSchema,
    file: { path, isRequired: true },
    env: {},
    cwd: "/work-here",
    flags: {},
    defaults: { state_dir: "/var/lib/x", run_dir: "/run/x" },
    ...more,
  };
}

async function problemsOf(toml: string, more: Partial<ConfigRequest<DaemonConfig>> = {}): Promise<string[]> {
  const asked = request(toml, more);
  const error: unknown = await loadConfig(asked).then(
    () => assert.fail("accepted"),
    (error: unknown) => error,
  );
  assert.ok(error instanceof ConfigError, String(error));
  assert.equal(error.exitCode, 2);
  return error.problems.map(({ place, key, message }) =>
    [place.replace(asked.file.path, "FILE"), key, message].join("|"),
  );
}

describe("where a value comes from", () => {
  test("without file, environment and flags all is at its default", async () => {
    const file = { path: join(folder, "absent.toml"), isRequired: false };
    const loaded = await loadConfig(request("", { file }));
    assert.equal(loaded.file, null);
    assert.equal(loaded.config.state_dir, "/var/lib/x");
    assert.equal(loaded.config.journal.cap_bytes, 268_435_456);
    assert.equal(loaded.sourceOf(["journal", "cap_bytes"]), "default");
    assert.equal(loaded.sourceOf(["state_dir"]), "default");
  });

  test("the file wins over defaults, the environment over the file, the command line over all", async () => {
    const asked = request("apdex_t_ms = 1\nseal_interval_ms = 2000\n[traces]\nslowest_per_action = 3\n", {
      env: { APM_DAEMON_SEAL_INTERVAL_MS: "3000", APM_DAEMON_COLLECTOR: "ws://env:1", HOME: "/root" },
      flags: { collector: { flag: "--collector", value: "ws://flag:1" } },
    });
    const loaded = await loadConfig(asked);
    const { config } = loaded;
    const sourceOf = (path: string[]): string => loaded.sourceOf(path);
    assert.deepEqual(
      [config.apdex_t_ms, config.seal_interval_ms, config.collector, config.traces.slowest_per_action],
      [1, 3_000, "ws://flag:1", 3],
    );
    assert.equal(sourceOf(["apdex_t_ms"]), `${asked.file.path}:1`);
    assert.equal(sourceOf(["traces", "slowest_per_action"]), `${asked.file.path}:4`);
    assert.equal(sourceOf(["seal_interval_ms"]), "env APM_DAEMON_SEAL_INTERVAL_MS");
    assert.equal(sourceOf(["collector"]), "flag --collector");
    assert.equal(sourceOf(["traces", "keep"]), "default");
  });

  test("an empty variable says nothing", async () => {
    const { config } = await loadConfig(request("", { env: { APM_DAEMON_APDEX_T_MS: "" } }));
    assert.equal(config.apdex_t_ms, 500);
  });

  test("APM_LICENSE_KEY_FILE is the short name; the long one wins", async () => {
    const short = await loadConfig(request("", { env: { APM_LICENSE_KEY_FILE: "/a" } }));
    assert.equal(short.config.license_key_file, "/a");
    const env = { APM_LICENSE_KEY_FILE: "/a", APM_DAEMON_LICENSE_KEY_FILE: "/b" };
    assert.equal((await loadConfig(request("", { env }))).config.license_key_file, "/b");
  });

  test("relative paths are relative to the file's folder, or to where the command was typed", async () => {
    const flags = { state_dir: { flag: "--state-dir", value: "state" } };
    const { config } = await loadConfig(request('license_key_file = "the.key"\n', { flags }));
    assert.equal(config.license_key_file, join(folder, "the.key"));
    assert.equal(config.state_dir, "/work-here/state");
  });

  test("the result cannot be changed", async () => {
    const { config } = await loadConfig(request(""));
    assert.throws(() => {
      config.journal.cap_bytes = 1;
    }, TypeError);
  });
});

describe("what is wrong is said at once, with its place", () => {
  test("values of the file, the environment and the command line together", async () => {
    const problems = await problemsOf(
      'apdex_t_ms = "fast"\n\n[journal]\nfsync = "never" # no\n[apps.shop]\napdex_t_ms = 0\n',
      {
        env: { APM_DAEMON_LIMITS_CONNECTIONS: "many" },
        flags: { collector: { flag: "--collector", value: "http://x" } },
      },
    );
    assert.deepEqual(problems.sort(), [
      'FILE:1|apdex_t_ms|expected a whole number from 1 to 600000, found "fast"',
      'FILE:4|journal.fsync|expected one of "seal", "always", found "never"',
      "FILE:6|apps.shop.apdex_t_ms|expected a whole number from 1 to 600000, found 0",
      'env APM_DAEMON_LIMITS_CONNECTIONS|limits.connections|expected a whole number from 1 to 65536, found "many"',
      'flag --collector|collector|must be the collector\'s address, like ws://127.0.0.1:8460, found "http://x"',
    ]);
  });

  test("unknown keys, with the one that was meant", async () => {
    assert.deepEqual(
      await problemsOf("sealinterval_ms = 1\ncolour = 1\ncap_bytes = 5\n[journl]\nfsync = 1\n"),
      [
        "FILE:1|sealinterval_ms|unknown key; did you mean seal_interval_ms?",
        "FILE:2|colour|unknown key; remove it",
        "FILE:3|cap_bytes|unknown key here; did you mean journal.cap_bytes or outbox.cap_bytes?",
        "FILE:4|journl|unknown key; did you mean journal?",
      ],
    );
    assert.deepEqual(await problemsOf('[apps."my.shop"]\napdex_ms = 1\n'), [
      "FILE:2|apps.my.shop.apdex_ms|unknown key; did you mean apps.my.shop.apdex_t_ms?",
    ]);
  });

  test("a value where a table belongs, and a table where a value belongs", async () => {
    assert.deepEqual(await problemsOf("journal = 1\n[apdex_t_ms]\na = 1\n"), [
      "FILE:2|apdex_t_ms|expected a whole number from 1 to 600000, found a table",
      "FILE:1|journal|expected a table of keys, found 1",
    ]);
  });

  test("a host name that is too long, and one that no address can carry", async () => {
    const [long = ""] = await problemsOf(`host_name = "${"x".repeat(2_000)}"\n`);
    assert.match(long, /^FILE:1\|host_name\|expected text of 1 to 255 characters, found "x+…$/);
    for (const name of [".", ".."]) {
      const [dots = ""] = await problemsOf(`host_name = "${name}"\n`);
      assert.match(dots, /^FILE:1\|host_name\|must not be "\." or "\.\."/);
    }
  });

  test("schedules are cron expressions of five fields, resolutions whole seconds", async () => {
    const how =
      'must be a cron expression of five fields (minute, hour, day of month, month, day of week), like "17 4 * * *"';
    assert.deepEqual(
      await problemsOf(
        '[schedule]\ninventory = "61 4 * * *"\nself_report = "* * * * * *"\npackages = "daily"\n[sampling]\nresolution = 61\n',
      ),
      [
        "FILE:6|sampling.resolution|expected a whole number from 1 to 60, found 61",
        `FILE:2|schedule.inventory|${how}, found "61 4 * * *"`,
        `FILE:4|schedule.packages|${how}, found "daily"`,
        `FILE:3|schedule.self_report|${how}, found "* * * * * *"`,
      ],
    );
    const { config } = await loadConfig(request('schedule.filesystems = "*/5 1-3 * jan mon"\n'));
    assert.equal(config.schedule.filesystems, "*/5 1-3 * jan mon");
  });

  test("a rule between two keys", async () => {
    assert.deepEqual(await problemsOf("journal.cap_bytes = 9000000\n"), [
      "FILE:1|journal.cap_bytes|must be at least twice journal.segment_bytes, found 9000000",
    ]);
  });

  test("keys named like JavaScript's own are unknown keys like any other", async () => {
    assert.deepEqual(await problemsOf("__proto__ = 1\nconstructor = 2\n"), [
      "FILE:1|__proto__|unknown key; remove it",
      "FILE:2|constructor|unknown key; remove it",
    ]);
  });

  test("a text that is not TOML, with line and column", async () => {
    const [problem = ""] = await problemsOf("apdex_t_ms = 1\n[journal\n");
    assert.match(problem, /^FILE:2:\d+\|\|this is not TOML: \S/);
  });

  test("a required file that is absent, and a folder in its place", async () => {
    const absent = { path: join(folder, "absent.toml"), isRequired: true };
    await assert.rejects(
      loadConfig(request("", { file: absent })),
      /there is no configuration file .*absent\.toml/,
    );
    const path = join(folder, "folder.toml");
    mkdirSync(path);
    await assert.rejects(loadConfig(request("", { file: { path, isRequired: false } })), {
      code: "FILE_UNREADABLE",
      message: /folder\.toml is a folder/,
    });
  });

  test("a variable that looks like a setting but is none is a warning only", async () => {
    const env = { APM_DAEMON_PORT: "tcp://10.0.0.1:1", APM_DAEMON_JOURNAL_CAPBYTES: "1" };
    const { warnings } = await loadConfig(request("", { env }));
    assert.equal(warnings.length, 2);
    assert.match(warnings[1] ?? "", /APM_DAEMON_JOURNAL_CAPBYTES.*APM_DAEMON_JOURNAL_CAP_BYTES\?/);
  });
});
