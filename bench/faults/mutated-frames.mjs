// R21 at its full size: a million mutated frames against a daemon. The tests send as many as a test may take.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";

const FUZZER = fileURLToPath(new URL("../../test/dist/fuzz/main.js", import.meta.url));
const CASES = 1_000_000;
const MAX_GROWTH_BYTES = 10_000_000;

function fuzzDaemon() {
  const args = [FUZZER, "--target", "daemon", "--cases", String(CASES), "--seconds", "14400", "--seed", "21"];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { maxBuffer: 67_108_864 }, (_error, stdout) => resolve(stdout));
  });
}

export const entries = [
  {
    promise: "R21",
    method: "1,000,000 mutated frames over 32 connections, a good app beside them",
    run: async (say) => {
      const lines = (await fuzzDaemon()).trim().split("\n");
      const failures = lines.filter((line) => line.startsWith("FINDING"));
      const result = JSON.parse(lines.at(-1) ?? "{}");
      say(lines.at(-1) ?? "the fuzzer said nothing");
      if (!(result.rssGrowthBytes <= MAX_GROWTH_BYTES))
        failures.push(`${result.rssGrowthBytes} bytes more than when warm`);
      return { runs: result.cases ?? 0, lost: result.isGoodUnharmed === true ? 0 : null, failures };
    },
  },
];
