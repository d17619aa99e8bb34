// The promises that have a test and no row of figures of their own: each of their files is run once.
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FOLDER = new URL("../../test/dist/faults/", import.meta.url);
const FILE = /^r(\d+)-.*\.test\.js$/;

/** `measured` are the promises that have rows already. */
export function testEntries(measured) {
  return readdirSync(FOLDER).flatMap((name) => {
    const [, number] = FILE.exec(name) ?? [];
    if (number === undefined || measured.has(`R${Number(number)}`)) return [];
    return { promise: `R${Number(number)}`, method: titleOf(name), run: () => runTests(name) };
  });
}

/** What the file says of itself, without the promise's number. */
function titleOf(name) {
  const text = readFileSync(new URL(name, FOLDER), "utf8");
  const [, , title] = /(?:describe|test)\(\s*(["'`])(.*?)\1/.exec(text) ?? [];
  return (title ?? name).replace(/^R\d+: /, "");
}

function runTests(name) {
  const args = [
    "--test",
    "--test-timeout=600000",
    "--test-reporter=tap",
    fileURLToPath(new URL(name, FOLDER)),
  ];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { maxBuffer: 67_108_864 }, (_error, stdout) => {
      const count = (what) => Number(new RegExp(`^# ${what} (\\d+)$`, "m").exec(stdout)?.[1] ?? 0);
      const failed = [...stdout.matchAll(/^ *not ok \d+ - (.*)$/gm)].map(([, title]) => `failed: ${title}`);
      if (failed.length === 0 && count("pass") === 0 && count("skipped") === 0)
        failed.push(`${name} ran no test`);
      resolve({
        runs: count("pass"),
        failures: failed,
        ...(count("skipped") === 0 ? {} : { skipped: count("skipped") }),
      });
    });
  });
}
