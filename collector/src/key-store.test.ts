import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, beforeEach, describe, test } from "node:test";
import { CollectorError } from "./collector-error.ts";
import { KeyStore } from "./key-store.ts";
import { temporaryFolder } from "./testing/running-collector.ts";

describe("license keys", () => {
  const folder = temporaryFolder();
  let stateDir = "";
  let tests = 0;
  beforeEach(() => {
    stateDir = path.join(folder, String(tests++));
  });
  after(() => fs.rmSync(folder, { recursive: true }));

  const failsWith = (code: string) => (error: unknown) =>
    error instanceof CollectorError && error.code === code && /^[^\n]{20,}$/.test(error.message);

  test("a key is 256 random bits, and only its hash is kept, readable by its owner alone", () => {
    const { key, name } = new KeyStore(stateDir).create("web servers");
    assert.match(key, /^apm_[A-Za-z0-9_-]{43}$/);
    assert.equal(name, "web servers");
    const file = path.join(stateDir, "keys.json");
    assert.ok(!fs.readFileSync(file, "utf8").includes(key.slice(4)));
    assert.equal(fs.statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(fs.readdirSync(stateDir), ["keys.json"]);
  });

  test("a key made by one process is accepted by another at once, and refused once revoked", () => {
    const running = new KeyStore(stateDir);
    assert.equal(running.verify("apm_whatever"), null);
    const { key, id } = new KeyStore(stateDir).create("one");
    assert.equal(running.verify(key)?.name, "one");
    assert.equal(running.verify(`${key}x`), null);
    assert.equal(running.verify(""), null);
    new KeyStore(stateDir).revoke(id);
    assert.equal(running.verify(key), null);
  });

  test("two keys live side by side for a rotation; a revoked name may be used again", () => {
    const keys = new KeyStore(stateDir);
    const old = keys.create("old");
    const next = keys.create("next");
    assert.ok(keys.verify(old.key) && keys.verify(next.key));
    assert.deepEqual(
      keys.list().map(({ name }) => name),
      ["old", "next"],
    );
    keys.revoke("old");
    assert.equal(keys.verify(old.key), null);
    assert.ok(keys.verify(next.key));
    assert.notEqual(keys.create("old").key, old.key);
  });

  test("refuses a taken name, an unusable name and an unknown one with a sentence", () => {
    const keys = new KeyStore(stateDir);
    keys.create("one");
    assert.throws(() => keys.create("one"), failsWith("KEY_NAME_TAKEN"));
    assert.throws(() => keys.revoke("two"), failsWith("KEY_UNKNOWN"));
    for (const name of ["", " one", "a\nb", "../one", "x".repeat(65), "<b>", "a\0"])
      assert.throws(() => keys.create(name), failsWith("KEY_NAME_INVALID"), name);
    keys.create("x".repeat(64));
    keys.create("主机 1");
  });

  test("a damaged file is said to be one, and is left alone", () => {
    const keys = new KeyStore(stateDir);
    keys.create("one");
    const file = path.join(stateDir, "keys.json");
    for (const damage of ["", "{", '{"version":2,"keys":[]}', '{"version":1,"keys":[{"sha256":"zz"}]}']) {
      fs.writeFileSync(file, damage);
      assert.throws(() => new KeyStore(stateDir).verify("apm_x"), failsWith("KEYS_UNREADABLE"));
      assert.throws(() => new KeyStore(stateDir).create("two"), failsWith("KEYS_UNREADABLE"));
      assert.equal(fs.readFileSync(file, "utf8"), damage);
    }
  });

  test("a file that another user owns is said to be one, without the advice to remove it", () => {
    new KeyStore(stateDir).create("one");
    fs.chmodSync(stateDir, 0o000);
    const isRoot = process.getuid?.() === 0;
    if (isRoot) process.seteuid?.("nobody");
    try {
      for (const use of [() => new KeyStore(stateDir).list(), () => new KeyStore(stateDir).verify("apm_x")]) {
        assert.throws(use, failsWith("KEYS_UNREADABLE"));
        assert.throws(use, /may not be read by this user .*root$/);
      }
    } finally {
      if (isRoot) process.seteuid?.(0);
      fs.chmodSync(stateDir, 0o700);
    }
  });

  test("two writers take turns; what a dead writer left is taken over", () => {
    const keys = new KeyStore(stateDir);
    keys.create("one");
    const temporary = path.join(stateDir, "keys.json.new");
    fs.writeFileSync(temporary, "");
    assert.throws(() => keys.create("two"), failsWith("KEYS_BUSY"));
    fs.utimesSync(temporary, 0, 0);
    keys.create("two");
    assert.equal(keys.list().length, 2);
  });

  test("many processes that create keys at once lose none of those they were given", () => {
    const script = `
      import { KeyStore } from ${JSON.stringify(new URL("./key-store.js", import.meta.url).href)};
      const keys = new KeyStore(${JSON.stringify(stateDir)});
      for (let i = 0; i < 20;) {
        try { keys.create(process.argv[1] + " " + i); i++; }
        catch (error) { if (error.code !== "KEYS_BUSY") throw error; }
      }`;
    fs.mkdirSync(stateDir);
    const file = path.join(stateDir, "create.mjs");
    fs.writeFileSync(file, script.replace("argv[1]", "argv[2]"));
    execFileSync("sh", [
      "-c",
      '"$0" "$1" a & A=$!; "$0" "$1" b & B=$!; "$0" "$1" c && wait $A && wait $B',
      process.execPath,
      file,
    ]);
    assert.equal(new KeyStore(stateDir).list().length, 60);
  });

  test("a state directory below a file is said to be not writable", () => {
    fs.writeFileSync(stateDir, "a file");
    assert.throws(
      () => new KeyStore(path.join(stateDir, "state")).create("one"),
      failsWith("STATE_DIR_NOT_WRITABLE"),
    );
  });
});
