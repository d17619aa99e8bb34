/** Bundles the apm command and the programs and workers that it starts into bundle/: see docs/decisions/0033. */
import { cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
/** What is started as a file of its own, by its name beside the module that starts it. */
const ENTRY_POINTS = [
  "cli/dist/main.js",
  "daemon/dist/host-sampling/system-facts-main.js",
  "daemon/dist/host-sampling/packages-main.js",
  "daemon/dist/flight-recorder/ring-search-worker.js",
  "collector/dist/store/duckdb/database-worker.js",
];
/** Native code and what apps load stay packages; ws and systeminformation do without the others. */
const EXTERNAL = [
  "@apm-daemon/agent",
  "@apm-daemon/console",
  "@duckdb/node-api",
  "koffi",
  "bufferutil",
  "utf-8-validate",
  "osx-temperature-sensor",
];

await rm(join(root, "cli/bundle"), { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ENTRY_POINTS,
  entryNames: "[name]",
  outdir: "cli/bundle",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  mainFields: ["module", "main"],
  external: EXTERNAL,
  // Names stay, and so do lines: stack traces must be readable.
  minifyWhitespace: true,
  minifySyntax: true,
  lineLimit: 160,
  // Packages in CommonJS require parts of Node.
  banner: {
    js: 'import{createRequire as createRequireOfBundle}from"node:module";const require=createRequireOfBundle(import.meta.url);',
  },
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
});
// For "apm service install".
for (const unit of [
  "apm-daemon.service",
  "apm-daemon.socket",
  "apm-daemon.sysusers",
  "apm-daemon.tmpfiles",
  "apm-collector.service",
])
  await cp(join(root, "systemd", unit), join(root, "cli/bundle/systemd", unit));
await writeLicenses(Object.keys(metafile.inputs));

/** The packages inside the bundle ask for their notices to go with it. */
async function writeLicenses(inputs) {
  const names = new Set();
  for (const input of inputs) {
    const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];
    if (name !== undefined) names.add(name);
  }
  const notices = await Promise.all([...names].sort((a, b) => a.localeCompare(b)).map(licenseOf));
  await writeFile(join(root, "cli/bundle/licenses.txt"), notices.join("\n\n"));
}

async function licenseOf(name) {
  const folder = join(root, "node_modules", name);
  const file = (await readdir(folder)).find((one) => /^licen[cs]e/i.test(one));
  if (file) return `${name}\n\n${await readFile(join(folder, file), "utf8")}`;
  const { license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  if (license) return `${name}\n\nLicence: ${license}`;
  throw new Error(`no licence in the package ${name}; the bundle must not ship without its notice`);
}
