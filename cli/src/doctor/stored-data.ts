import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { CliError } from "../cli-error.ts";
import { shownAge, shownBytes, shownCount } from "../terminal/quantities.ts";
import type { Examined } from "./examined.ts";
import { type Finding, failure, RUN_AS_ROOT, unseen, warning, well } from "./finding.ts";

/** What was put aside because it cannot be used: quarantine, dead letters. */
const ASIDE = /^(quarantine|dead[-_]?letters?)$/;
/** So many intervals without a seal are no delay any more. */
const LATE_INTERVALS = 3;

/** Journal and outbox: readable, sealed in time, and nothing put aside. */
export function checkStoredData(examined: Examined): Finding[] {
  const journal = join(examined.stateDir, "journal");
  const outbox = join(examined.stateDir, "outbox");
  return [
    ...look("journal", journal, (files) => journalFinding(journal, files, examined)),
    ...look("outbox", outbox, (files) => outboxFinding(outbox, files)),
    ...[journal, outbox, examined.stateDir].flatMap(putAside),
  ];
}

function look(what: string, dir: string, judge: (files: string[]) => Finding): Finding[] {
  try {
    return [judge(readdirSync(dir))];
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return [];
    if (code === "EACCES") return [unseen(what, `this user may not look into ${dir}`, RUN_AS_ROOT)];
    return [failure(what, `${dir} cannot be read (${code})`, "check the disk: dmesg | tail")];
  }
}

function journalFinding(dir: string, files: readonly string[], { status, config }: Examined): Finding {
  const segments = files.filter((name) => name.endsWith(".seg"));
  const size = segments.reduce((sum, name) => sum + sizeOf(join(dir, name)), 0);
  const found = `${shownBytes(size)} in ${counted(segments.length, "segment", "segments")}`;
  const sealedMs = mtimeOf(join(dir, "cursor.json"));
  if (sealedMs === null || status instanceof CliError) return well("journal", found);
  const ageMs = Date.now() - sealedMs;
  if (ageMs > LATE_INTERVALS * config.seal_interval_ms + 5_000)
    return failure(
      "journal",
      `${found}; nothing was sealed for ${shownAge(ageMs)}`,
      "apm status, and the daemon's log",
    );
  return well("journal", `${found}, sealed ${shownAge(ageMs)} ago`);
}

function outboxFinding(dir: string, files: readonly string[]): Finding {
  const batches = files.filter((name) => name.endsWith(".batch")).sort();
  const [oldest] = batches;
  const sinceMs = oldest === undefined ? null : mtimeOf(join(dir, oldest));
  if (sinceMs === null) return well("outbox", "empty: all was taken by the collector");
  const found = `${counted(batches.length, "batch waits", "batches wait")}, the oldest for ${shownAge(Date.now() - sinceMs)}`;
  const isBacklog = Date.now() - sinceMs > 60_000;
  return isBacklog ? warning("outbox", found, "see collector and license key below") : well("outbox", found);
}

function putAside(parent: string): Finding[] {
  return namesIn(parent)
    .filter((name) => ASIDE.test(name))
    .flatMap((name) => {
      const dir = join(parent, name);
      const count = namesIn(dir).length;
      if (count === 0) return [];
      const files =
        count === 1 ? "1 file that cannot be used lies" : `${count} files that cannot be used lie`;
      return [
        warning("put aside", `${files} in ${dir}`, `apm batch show ${dir}/…; remove what is not needed`),
      ];
    });
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function mtimeOf(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? null;
}

function counted(count: number, one: string, many: string): string {
  return `${shownCount(count)} ${count === 1 ? one : many}`;
}
