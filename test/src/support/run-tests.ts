/**
 * Runs every compiled test of every package in one `node --test`, so that there is one closing summary.
 * Arguments narrow the choice: `node test/dist/support/run-tests.js daemon/ kill` runs the test files whose path
 * contains one of them. Arguments that begin with "--" go to node.
 */
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** In this order: the whole-system tests come last. */
const TEST_FOLDERS = [
  "protocol/dist",
  "agent-lib/dist",
  "daemon/dist",
  "collector/dist",
  "cli/dist",
  "console/dist-test",
  "test/dist",
];

function testFiles(root: string, folder: string): string[] {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".test.js"))
    .sort()
    .map((name) => join(folder, name));
}

function chooseFiles(root: string, fragments: string[]): string[] {
  const all = TEST_FOLDERS.map((folder) => ({ folder, files: testFiles(root, folder) }));
  const empty = all.filter(({ files }) => files.length === 0).map(({ folder }) => folder);
  if (empty.length > 0 && fragments.length === 0) {
    throw new Error(`no compiled tests below ${empty.join(", ")}: run "npm run build" first`);
  }
  const files = all.flatMap((group) => group.files);
  const chosen =
    fragments.length === 0
      ? files
      : files.filter((file) => fragments.some((fragment) => file.includes(fragment)));
  if (chosen.length === 0) throw new Error(`no test file's path contains ${fragments.join(" or ")}`);
  return chosen;
}

function runTests(args: string[]): void {
  const root = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");
  const nodeFlags = args.filter((arg) => arg.startsWith("--"));
  const files = chooseFiles(
    root,
    args.filter((arg) => !arg.startsWith("--")),
  );
  const child = spawn(
    process.execPath,
    [
      "--enable-source-maps",
      "--test",
      "--test-concurrency=2",
      "--test-timeout=180000",
      "--test-reporter=spec",
      ...nodeFlags,
      ...files.map((file) => relative(process.cwd(), join(root, file))),
    ],
    { stdio: "inherit" },
  );
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? (signal === null ? 1 : 130);
  });
}

try {
  runTests(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
