import { lstatSync } from "node:fs";

/** Write permission of the group or of others. */
const WRITABLE_BY_OTHERS = 0o022;

/**
 * Why a socket in `dir` must not be trusted where anybody could have made that folder, as in /tmp: "it belongs to user 7".
 * Null for a real folder of user `uid` or of root that nobody else may write, and where there is nothing. Never throws.
 */
export function folderDistrust(dir: string, uid: number): string | null {
  try {
    const stat = lstatSync(dir, { throwIfNoEntry: false });
    if (stat === undefined) return null;
    if (!stat.isDirectory()) return "it is no real folder";
    if (stat.uid !== uid && stat.uid !== 0) return `it belongs to user ${stat.uid}`;
    return (stat.mode & WRITABLE_BY_OTHERS) === 0 ? null : "other users may write in it";
  } catch (error) {
    return `it cannot be looked at (${(error as NodeJS.ErrnoException).code})`;
  }
}
