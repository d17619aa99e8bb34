/** Writes the pages of docs/ and the README's table that are generated from the code. Run by `npm run reference -w cli`. */
import { readFileSync, writeFileSync } from "node:fs";
import { CollectorConfigSchema } from "@apm-daemon/collector";
import { DaemonConfigSchema } from "@apm-daemon/daemon";
import { apiPage } from "./config/api-reference.ts";
import { configurationPage, hostMetricsPage, readmeWithConfiguration } from "./config/reference.ts";

const root = new URL("../../", import.meta.url);
const readme = new URL("README.md", root);
const api = new URL("docs/api.md", root);
const schemas = { daemon: DaemonConfigSchema, collector: CollectorConfigSchema };

writeFileSync(new URL("docs/configuration.md", root), configurationPage(schemas));
writeFileSync(new URL("docs/host-metrics.md", root), hostMetricsPage());
writeFileSync(api, apiPage(readFileSync(api, "utf8")));
writeFileSync(readme, readmeWithConfiguration(readFileSync(readme, "utf8"), schemas));
