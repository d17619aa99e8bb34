import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { DaemonPeer, until } from "../test-support/daemon-peer.ts";
import { appPath, REGISTER, runNode } from "../test-support/run-app.ts";
import { preloadEsModules } from "./es-module-preload.ts";

const HONO_APP = appPath("frameworks/call-hono.mjs");
const WAYS: readonly [how: string, args: string[]][] = [
  ["--import", ["--import", REGISTER, HONO_APP]],
  ["--require", ["--require", REGISTER, HONO_APP]],
  ["an import in the app's first line", [appPath("frameworks/first-import-hono.mjs")]],
];

for (const [how, args] of WAYS)
  test(`an ES module of a library is reached by ${how}, without a word on stderr`, async () => {
    const peer = await new DaemonPeer().listen();
    const end = await runNode(args, { APM_SOCKET: peer.path });
    assert.deepEqual(end, { code: 0, signal: null, stdout: "200 7\n", stderr: "" });
    await until(() => peer.byes.length === 1, "the goodbye arrives");
    assert.equal(peer.named("GET /users/:id").length, 1);
    await peer.close();
  });

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "apm-preload-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(file: string, text: string): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), text);
}

function library(name: string, type: string, code: string): void {
  write(`node_modules/${name}/package.json`, JSON.stringify({ type, exports: { "./none": "./none.js" } }));
  write(`node_modules/${name}/entry.js`, code);
}

const loaded = globalThis as { apmPreloaded?: string[] };

test("only what the app needs at run time and what is an ES module is loaded", () => {
  loaded.apmPreloaded = [];
  const says = (name: string): string => `globalThis.apmPreloaded.push(${JSON.stringify(name)});`;
  for (const name of ["needed", "@scope/needed", "unneeded", "for-tests"])
    library(name, "module", says(name));
  library("old", "commonjs", says("old"));
  write(
    "package.json",
    JSON.stringify({
      dependencies: { needed: "*", old: "*", absent: "*" },
      peerDependencies: { "@scope/needed": "*" },
      devDependencies: { "for-tests": "*" },
    }),
  );
  // As compilers write it beside what they made.
  write("dist/package.json", '{"type":"module"}');
  const names = ["needed", "@scope/needed", "unneeded", "for-tests", "old", "absent"];
  const failures: string[] = [];
  preloadEsModules(
    join(folder, "dist"),
    new Map(names.map((name) => [name, new Set(["entry.js", "missing.js"])])),
    (name) => failures.push(name),
  );
  assert.deepEqual(loaded.apmPreloaded.sort(), ["@scope/needed", "needed"]);
  assert.deepEqual(failures, []);
});

test("a library that cannot be loaded is told of, and leaves the others alone", () => {
  loaded.apmPreloaded = [];
  library("broken", "module", 'throw new Error("no");');
  library("whole", "module", 'globalThis.apmPreloaded.push("whole");');
  write("package.json", JSON.stringify({ dependencies: { broken: "*", whole: "*" } }));
  const failures: [string, string][] = [];
  const files = new Map(["broken", "whole"].map((name) => [name, new Set(["entry.js"])]));
  preloadEsModules(folder, files, (name, error) => failures.push([name, String(error)]));
  assert.deepEqual(failures, [["broken", "Error: no"]]);
  assert.deepEqual(loaded.apmPreloaded, ["whole"]);
});
