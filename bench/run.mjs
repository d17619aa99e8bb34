// npm run bench -- NAME [options]: installs the peers once, runs one measurement, prints JSON lines.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const BENCHES = {
  agent: "agent/bench.mjs",
  console: "console/bench.mjs",
  faults: "faults/bench.mjs",
  intake: "intake/bench.mjs",
  sampling: "sampling/bench.mjs",
};
/** Nothing else is measured beside it. */
const WITHOUT_PEERS = ["console", "faults"];
const here = fileURLToPath(new URL(".", import.meta.url));
const [name, ...options] = process.argv.slice(2);
const bench = BENCHES[name];
if (bench === undefined) {
  console.error(`usage: npm run bench -- ${Object.keys(BENCHES).join("|")} [--rounds N] [--seconds N]`);
  process.exit(2);
}
if (!WITHOUT_PEERS.includes(name) && !existsSync(`${here}node_modules`))
  execFileSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
    cwd: here,
    stdio: ["ignore", "ignore", "inherit"],
  });
process.exit(spawnSync(process.execPath, [`${here}${bench}`, ...options], { stdio: "inherit" }).status ?? 1);
