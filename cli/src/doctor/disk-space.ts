import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import { CliError } from "../cli-error.ts";
import { shownBytes } from "../terminal/quantities.ts";
import type { Examined } from "./examined.ts";
import { type Finding, failure, unseen, warning, well } from "./finding.ts";

const WHAT = "disk space";
const MAX_SHARE = 1 / 20;

/** Free space beside what journal and outbox may still grow by. */
export function checkDiskSpace({ stateDir, config, status }: Examined): Finding[] {
  const disk = measured(stateDir);
  if (disk === null) return [unseen(WHAT, `the disk of ${stateDir} cannot be asked`)];
  const { free, total } = disk;
  // As the daemon itself reckons: see limits.min_free_disk_bytes.
  const leftToOthers = Math.min(config.limits.min_free_disk_bytes, total * MAX_SHARE);
  const isAnswering = !(status instanceof CliError);
  const capBytes = config.journal.cap_bytes + config.outbox.cap_bytes;
  const usedBytes = isAnswering ? status.journal.bytes + status.outbox.bytes : 0;
  const growth = Math.max(0, capBytes - usedBytes);
  const found = `${shownBytes(free)} free; journal and outbox may grow by ${shownBytes(growth)}`;
  const remedy = `free space on the disk of ${stateDir}, or lower journal.cap_bytes and outbox.cap_bytes`;
  if (free < Math.max(config.journal.segment_bytes, leftToOthers))
    return [failure(WHAT, `nearly full: ${found}`, remedy)];
  return [free - leftToOthers < growth ? warning(WHAT, `too small: ${found}`, remedy) : well(WHAT, found)];
}

/** Of the nearest folder that is there; `free` to users without privileges. */
function measured(path: string): { free: number; total: number } | null {
  try {
    const { bavail, blocks, bsize } = statfsSync(path);
    return { free: bavail * bsize, total: blocks * bsize };
  } catch (error) {
    const parent = dirname(path);
    return (error as NodeJS.ErrnoException).code === "ENOENT" && parent !== path ? measured(parent) : null;
  }
}
