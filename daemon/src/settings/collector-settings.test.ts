import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { pino } from "pino";
import { tempDir } from "../testing/temp-dir.ts";
import { CollectorSettings, type SettingsConfig } from "./collector-settings.ts";

const CONFIG: SettingsConfig = {
  apdex_t_ms: 500,
  traces: {
    keep: "sampled",
    errors_per_action: 1,
    slowest_per_action: 1,
    repeats_per_action: 1,
    random_per_action: 1,
  },
  settings: { sql: "obfuscated", overhead_budget: 0.03, slow_statement_ms: 500, from_collector: true },
  apps: { shop: { apdex_t_ms: 300 } },
};
const silent = pino({ level: "silent" });

function settingsIn(file: string, config: Partial<SettingsConfig["settings"]> = {}): CollectorSettings {
  const settings = { ...CONFIG.settings, ...config };
  return new CollectorSettings({ config: { ...CONFIG, settings }, file, log: silent });
}

const fileOf = (t: TestContext): string => join(tempDir(t), "collector-settings.json");

test("what is said of one app goes before what is said of all, of each the console's first", async (t) => {
  const settings = settingsIn(fileOf(t));
  const seen = (): number[] => ["shop", "stock"].map((app) => settings.apdexTMs(app));
  assert.deepEqual(seen(), [300, 500]);
  await settings.take({ revision: "a", all: { apdexTMs: 900 }, apps: [] });
  assert.deepEqual(seen(), [300, 900]);
  await settings.take({
    revision: "b",
    all: { apdexTMs: 900, slowActionMs: 4_000 },
    apps: [{ app: "shop", settings: { apdexTMs: 50, slowActionMs: 70 } }],
  });
  assert.deepEqual(seen(), [50, 900]);
  assert.deepEqual([settings.slowActionMs("shop"), settings.slowActionMs("stock")], [70, 4_000]);
  await settings.take({ revision: "", all: {}, apps: [] });
  assert.deepEqual(seen(), [300, 500]);
  assert.equal(settings.slowActionMs("stock"), Number.POSITIVE_INFINITY);
});

test("names of apps are names, whatever an object calls its own", async (t) => {
  const settings = settingsIn(fileOf(t));
  for (const name of ["constructor", "__proto__", "toString"])
    assert.equal(settings.apdexTMs(name), 500, name);
  const apps = [{ app: "__proto__", settings: { apdexTMs: 7 } }];
  await settings.take({ revision: "a", all: {}, apps });
  assert.deepEqual([settings.apdexTMs("__proto__"), settings.apdexTMs("stock")], [7, 500]);
});

test("statements can be told less of from afar, never more", async (t) => {
  const modes = ["raw", "obfuscated", "local", "off"] as const;
  for (const [i, own] of modes.entries()) {
    const settings = settingsIn(fileOf(t), { sql: own });
    for (const [k, asked] of modes.entries()) {
      const revision = await settings.take({ revision: asked, all: { sql: asked }, apps: [] });
      assert.equal(revision, asked === "raw" ? null : asked);
      if (asked !== "raw") assert.equal(settings.agent.sql, modes[Math.max(i, k)], `${own} and ${asked}`);
    }
  }
});

test("they are remembered for the next start, for the daemon's user alone", async (t) => {
  const file = fileOf(t);
  const set = {
    revision: "a",
    all: { slowStatementMs: 20 },
    apps: [{ app: "shop", settings: { apdexTMs: 5 } }],
  };
  assert.equal(await settingsIn(file).take(set), "a");
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const next = settingsIn(file);
  assert.deepEqual(next.current, set);
  assert.deepEqual([next.apdexTMs("shop"), next.agent.slowStatementMs], [5, 20]);
  assert.equal(settingsIn(file, { from_collector: false }).apdexTMs("shop"), 300, "this host takes none");
});

test("what is no settings changes nothing and is not remembered", async (t) => {
  const file = fileOf(t);
  const settings = settingsIn(file);
  const good = { revision: "a", all: {}, apps: [{ app: "shop", settings: { apdexTMs: 5 } }] };
  await settings.take(good);
  let told = 0;
  settings.onChange(() => told++);
  for (const bad of [
    null,
    [],
    "x",
    {},
    { ...good, revision: "../../x" },
    { ...good, all: { apdexTMs: 0 } },
    { ...good, all: { apdexTMs: 600_001 } },
    { ...good, all: { apdexTMs: "5" } },
    { ...good, all: { sql: "raw" } },
    { ...good, apps: {} },
    { ...good, apps: [{ app: "", settings: {} }] },
    { ...good, apps: [{ app: "shop" }] },
    { ...good, apps: Array.from({ length: 1_001 }, (_, n) => ({ app: `app ${n}`, settings: {} })) },
  ])
    assert.equal(await settings.take(bad), null, JSON.stringify(bad).slice(0, 80));
  assert.deepEqual([settings.current, told], [good, 0]);
  assert.deepEqual(JSON.parse(readFileSync(file, "utf8")), good);
  writeFileSync(file, "{ broken");
  assert.equal(settingsIn(file).apdexTMs("shop"), 300);
});

test("a disk that refuses them leaves them in force", async (t) => {
  const settings = settingsIn(join(tempDir(t), "no such folder", "settings.json"));
  assert.equal(await settings.take({ revision: "a", all: { apdexTMs: 9 }, apps: [] }), "a");
  assert.equal(settings.apdexTMs("stock"), 9);
});
