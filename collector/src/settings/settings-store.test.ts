import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { CollectorError } from "../collector-error.ts";
import { temporaryFolder } from "../testing/running-collector.ts";
import { SettingsStore } from "./settings-store.ts";

const failsWith = (code: string) => (error: unknown) =>
  error instanceof CollectorError && error.code === code;

test("what was set is there after a restart, for the owner alone, and each change is told", () => {
  const stateDir = temporaryFolder();
  const store = new SettingsStore(stateDir);
  assert.deepEqual(store.current, { revision: "", all: {}, apps: [] });
  let told = 0;
  store.onChange(() => told++);
  store.setAll({ apdexTMs: 300, sql: "local" });
  store.setApp("shop", { apdexTMs: 50 });
  store.setApp("__proto__", { slowActionMs: 7 });
  assert.equal(told, 3);
  assert.deepEqual(new SettingsStore(stateDir).current, store.current);
  assert.deepEqual(
    store.current.apps.map(({ app }) => app),
    ["__proto__", "shop"],
  );
  assert.equal(fs.statSync(path.join(stateDir, "settings.json")).mode & 0o777, 0o600);
});

test("the revision is made of what is set: the same again has the same, nothing has none", () => {
  const store = new SettingsStore(temporaryFolder());
  const { revision } = store.setApp("shop", { apdexTMs: 50 });
  assert.match(revision, /^[0-9a-f]{16}$/);
  assert.notEqual(store.setApp("shop", { apdexTMs: 51 }).revision, revision);
  assert.equal(new SettingsStore(temporaryFolder()).setApp("shop", { apdexTMs: 50 }).revision, revision);
  assert.equal(store.setApp("shop", {}).revision, "");
});

test("a thousand apps have settings of their own, and no more", () => {
  const stateDir = temporaryFolder();
  const apps = Array.from({ length: 1_000 }, (_, n) => ({ app: `app ${n}`, settings: { apdexTMs: 5 } }));
  fs.writeFileSync(path.join(stateDir, "settings.json"), JSON.stringify({ revision: "x", all: {}, apps }));
  const store = new SettingsStore(stateDir);
  assert.throws(() => store.setApp("one more", { apdexTMs: 5 }), failsWith("SETTINGS_TOO_MANY"));
  store.setApp("app 7", { apdexTMs: 6 });
  store.setApp("app 8", {});
  store.setApp("one more", { apdexTMs: 5 });
});

test("a damaged file is left alone, and nothing can be set until it is settled", () => {
  const stateDir = temporaryFolder();
  const file = path.join(stateDir, "settings.json");
  for (const damaged of ["", "{}", '{"revision":"x","all":{"apdexTMs":0},"apps":[]}']) {
    fs.writeFileSync(file, damaged);
    const store = new SettingsStore(stateDir);
    assert.match(store.problem?.message ?? "", /settings\.json cannot be read/);
    assert.throws(() => store.setAll({}), failsWith("SETTINGS_UNREADABLE"));
    assert.equal(fs.readFileSync(file, "utf8"), damaged);
  }
});
