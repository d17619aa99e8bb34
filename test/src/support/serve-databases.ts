/**
 * Starts the database servers that its arguments name, for tests of packages that this one knows nothing of. It prints
 * one line of JSON, { urls } by name or { missing } with the packages to install, and ends them when stdin is closed.
 */
import { Cleanup } from "./cleanup.ts";
import { DATABASE_STARTERS } from "./databases.ts";
import { missingParts } from "./parts.ts";

const starters = Object.entries(DATABASE_STARTERS).filter(([name]) => process.argv.includes(name));
const missing = missingParts(starters.map(([, { part }]) => part));

if (missing.length > 0) {
  console.log(JSON.stringify({ missing: missing.map((part) => part.debianPackage) }));
} else {
  const cleanup = new Cleanup();
  process.stdin.resume().once("end", () => void cleanup.run());
  const started = await Promise.all(
    starters.map(async ([name, { start }]) => [name, await start(cleanup)] as const),
  );
  console.log(JSON.stringify({ urls: Object.fromEntries(started) }));
}
