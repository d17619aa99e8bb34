import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const { dependencies } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const of = (name) => `${name}@${dependencies[name]}`;
const PEERS = {
  datadog: [of("dd-trace")],
  elastic: [of("elastic-apm-node")],
  otel: Object.keys(dependencies)
    .filter((name) => name.startsWith("@opentelemetry/"))
    .map(of),
};

/** What each agent takes on the disk, with all that it needs. */
export function installSizes() {
  const own = ["protocol", "agent-lib"].map((folder) => pack(join(ROOT, folder)));
  const rows = Object.entries({ apm: own, ...PEERS }).map(([variant, packages]) => sizeOf(variant, packages));
  for (const file of own) rmSync(file);
  return rows;
}

function pack(folder) {
  const destination = mkdtempSync(join(tmpdir(), "apm-bench-"));
  const output = execFileSync("npm", ["pack", "--json", "--pack-destination", destination], {
    cwd: folder,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return join(destination, JSON.parse(output)[0].filename);
}

function sizeOf(variant, packages) {
  const dir = mkdtempSync(join(tmpdir(), "apm-bench-"));
  try {
    writeFileSync(join(dir, "package.json"), '{"private":true}');
    execFileSync("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", ...packages], {
      cwd: dir,
      stdio: "ignore",
    });
    const files = readdirSync(join(dir, "node_modules"), { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile(),
    );
    const bytes = files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
    return {
      what: "install size",
      variant,
      megabytes: Number((bytes / 1e6).toFixed(1)),
      files: files.length,
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
