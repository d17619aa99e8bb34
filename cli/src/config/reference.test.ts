import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { CollectorConfigSchema } from "@apm-daemon/collector";
import { DaemonConfigSchema } from "@apm-daemon/daemon";
import { apiPage } from "./api-reference.ts";
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

test("docs/api.md has the parameters and refusals of each call as the schemas say them", () => {
  const page = repositoryFile("docs/api.md");
  assert.equal(page, apiPage(page), HINT);
});

test("a page of the API that lacks a call, or has one too many, is refused", () => {
  const page = repositoryFile("docs/api.md");
  assert.throws(() => apiPage(page.replace("### `GET /api/v1/map`", "")), /lacks .*api\/v1\/map/);
  assert.throws(() => apiPage(`${page}\n### \`GET /api/v1/none\`\n`), /no route answers/);
});

test("a README without the markers is refused", () => {
  assert.throws(() => readmeWithConfiguration("# nothing here\n", schemas), /markers|lacks/);
});
