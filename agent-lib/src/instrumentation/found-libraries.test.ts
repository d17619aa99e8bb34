import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { LibrariesReport } from "@apm-daemon/protocol";
import { build } from "esbuild";
import { DaemonPeer, until } from "../test-support/daemon-peer.ts";
import { REGISTER } from "../test-support/run-app.ts";

const HERE = dirname(fileURLToPath(import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "apm-bundle-"));
const APP = `import express from "express";
const server = express().get("/", (request, response) => response.send("ok")).listen(0, "127.0.0.1");
process.on("SIGTERM", () => server.close());
`;
const peer = new DaemonPeer();

before(() => peer.listen());

after(async () => {
  await peer.close();
  rmSync(folder, { recursive: true });
});

/** What the agent of an app says of its libraries, from a run of it. */
async function reportOf(
  script: string,
  isDone: (report: LibrariesReport) => boolean,
): Promise<LibrariesReport> {
  peer.runtime.length = 0;
  const child = spawn(process.execPath, ["--import", REGISTER, script], {
    env: { ...process.env, NODE_OPTIONS: "", APM_SOCKET: peer.path },
    stdio: "ignore",
  });
  try {
    const newest = (): LibrariesReport | undefined =>
      peer.runtime.findLast(({ libraries }) => libraries !== undefined)?.libraries;
    await until(() => isDone(newest() ?? { bundler: null, found: [] }), "the libraries are told");
    return newest() as LibrariesReport;
  } finally {
    child.kill("SIGKILL");
  }
}

async function bundle(name: string, options: { minify: boolean; external?: string[] }): Promise<string> {
  const outfile = join(folder, name);
  const stdin = { contents: APP, resolveDir: HERE };
  await build({
    stdin,
    outfile,
    bundle: true,
    platform: "node",
    format: "cjs",
    logLevel: "error",
    ...options,
  });
  return outfile;
}

test("a library that is loaded as it is is recorded, with its version", async () => {
  const script = join(HERE, "plain-app-of-a-test.mjs");
  writeFileSync(script, APP);
  try {
    const report = await reportOf(script, ({ found }) => found.length > 0);
    // What Express 5 routes with.
    const router = report.found.find(({ name }) => name === "router");
    assert.deepEqual([report.bundler, router?.state], [null, "recorded"]);
    assert.match(router?.version ?? "", /^2\.\d+\.\d+$/);
  } finally {
    rmSync(script);
  }
});

test("libraries within a bundle of esbuild are named as such", async () => {
  const script = await bundle("plain.cjs", { minify: false });
  const report = await reportOf(script, ({ bundler }) => bundler !== null);
  assert.equal(report.bundler, "esbuild");
  const express = report.found.find(({ name }) => name === "express");
  assert.deepEqual(express, { name: "express", version: "", state: "bundled" });
});

test("of a minified bundle the bundler is known, its libraries are not", async () => {
  const script = await bundle("minified.cjs", { minify: true });
  const report = await reportOf(script, ({ bundler }) => bundler !== null);
  assert.deepEqual(report, { bundler: "esbuild", found: [] });
});
