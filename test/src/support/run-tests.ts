/**
 * Runs every compiled test of every package: in one `node --test`, and then those that need the machine for themselves, in another.
 * Arguments narrow the choice: `node test/dist/support/run-tests.js daemon/ kill` runs the test files whose path
 * contains one of them. `--deadline-ms=N` ends a run that takes longer; other arguments that begin with "--" go to node.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** In this order: the whole-system tests come last. */
const TEST_FOLDERS = [
  "protocol/dist",
  "agent-lib/dist",
  "daemon/dist",
  "collector/dist",
  "demo/dist",
  "cli/dist",
  "console/dist-test",
  "test/dist",
];

/**
 * What measures the machine: causes of slow requests that are made for real must stand out from what else it does, and figures of the
 * host are compared with readings of the same moments, which a busy machine takes apart.
 */
const ALONE: readonly string[] = ["test/dist/verdicts/", "test/dist/truth/"];
const needsAll = (file: string): boolean => ALONE.some((folder) => file.startsWith(folder));

/** A whole run takes about twenty minutes; one that hangs must end before whoever runs it gives up. */
const DEADLINE_MS = 3_000_000;
const DEADLINE_FLAG = "--deadline-ms=";
/** The tests' own clean-up has that long. */
const KILL_AFTER_MS = 5_000;
const INTERRUPTED = 130;

function testFiles(root: string, folder: string): string[] {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".test.js"))
    .sort()
    .map((name) => join(folder, name));
}

/** What is started under test is bundled: `tsc -b` alone leaves bundles as they were. */
const BUNDLES = [
  { bundle: "agent-lib/dist/bundle/agent.js", madeOf: ["agent-lib/dist", "protocol/dist"] },
  { bundle: "cli/bundle/main.js", madeOf: ["cli/dist", "daemon/dist", "collector/dist", "protocol/dist"] },
];

function requireFresh(root: string, { bundle, madeOf }: (typeof BUNDLES)[number]): void {
  const madeMs = statSync(join(root, bundle), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const isStale = madeOf.some((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".js") && !name.endsWith(".test.js") && !name.startsWith("bundle/"))
      .some((name) => statSync(join(root, folder, name)).mtimeMs > madeMs),
  );
  if (isStale) throw new Error(`${bundle} is older than what it is made of: run "npm run build" first`);
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

async function runTests(args: string[]): Promise<void> {
  const root = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");
  const nodeFlags = args.filter((arg) => arg.startsWith("--") && !arg.startsWith(DEADLINE_FLAG));
  const files = chooseFiles(
    root,
    args.filter((arg) => !arg.startsWith("--")),
  );
  const endAtMs = performance.now() + deadlineMs(args);
  for (const one of BUNDLES) requireFresh(root, one);
  const groups = [
    { concurrency: 3, files: files.filter((file) => !needsAll(file)) },
    { concurrency: 1, files: files.filter(needsAll) },
  ].filter((group) => group.files.length > 0);
  let worst = 0;
  for (const { concurrency, files: ofGroup } of groups) {
    const flags = [`--test-concurrency=${concurrency}`, ...nodeFlags];
    const paths = ofGroup.map((file) => relative(process.cwd(), join(root, file)));
    const code = await runGroup([...flags, ...paths], endAtMs);
    worst = Math.max(worst, code);
    if (code === INTERRUPTED) break;
  }
  process.exitCode = worst;
}

/** The exit code. */
async function runGroup(args: string[], endAtMs: number): Promise<number> {
  const child = spawn(
    process.execPath,
    ["--enable-source-maps", "--test", "--test-timeout=600000", "--test-reporter=spec", ...args],
    { stdio: "inherit" },
  );
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on("SIGINT", pass).on("SIGTERM", pass);
  const deadline = endAt(child, Math.max(1, Math.ceil(endAtMs - performance.now())));
  const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  clearTimeout(deadline.timer);
  process.off("SIGINT", pass).off("SIGTERM", pass);
  if (deadline.isOver()) return 1;
  return code ?? (signal === null ? 1 : INTERRUPTED);
}

function deadlineMs(args: string[]): number {
  const flag = args.find((arg) => arg.startsWith(DEADLINE_FLAG));
  const ms = flag === undefined ? DEADLINE_MS : Number(flag.slice(DEADLINE_FLAG.length));
  if (!Number.isInteger(ms) || ms < 1) throw new Error(`${flag}: give the milliseconds, such as 600000`);
  return ms;
}

/** Ends a run that takes too long, at first gently so that the tests end what they started. */
function endAt(child: ChildProcess, ms: number): { timer: NodeJS.Timeout; isOver: () => boolean } {
  let isOver = false;
  const timer = setTimeout(() => {
    isOver = true;
    console.error(
      `the tests were still running after ${ms / 1000} s and were ended: the one without a result above hangs`,
    );
    child.kill("SIGTERM");
    setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS).unref();
  }, ms);
  return { timer, isOver: () => isOver };
}

try {
  await runTests(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
