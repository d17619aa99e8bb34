import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { CollectorConfigSchema } from "@apm-daemon/collector";
import { DaemonConfigSchema } from "@apm-daemon/daemon";
import { configurationPage, hostMetricsPage, readmeWithConfiguration } from "./reference.ts";

const schemas = { daemon: DaemonConfigSchema, collector: CollectorConfigSchema };
const HINT = "out of date: npm run reference -w cli";

function repositoryFile(path: string): string {
  return readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");
}

test("docs/configuration.md is what the schemas say", () => {
  assert.equal(repositoryFile("docs/configuration.md"), configurationPage(schemas), HINT);
});

test("docs/host-metrics.md is what the protocol's table says", () => {
  assert.equal(repositoryFile("docs/host-metrics.md"), hostMetricsPage(), HINT);
});

test("the README's configuration table is what the schemas say", () => {
  const readme = repositoryFile("README.md");
  assert.equal(readme, readmeWithConfiguration(readme, schemas), HINT);
});

test("a README without the markers is refused", () => {
  assert.throws(() => readmeWithConfiguration("# nothing here\n", schemas), /markers|lacks/);
});
