import { constants } from "node:os";

/** What helps, by the system's error code. */
const REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: "free space on its file system",
  EDQUOT: "this user's disk quota is used up: raise it, or free space there",
  EROFS: "its file system is read-only: make it writable, and look at the kernel's log for why",
  EACCES: "give the daemon's user the right to write there",
  EPERM: "give the daemon's user the right to write there",
  EMFILE: "raise the daemon's limit of open files (LimitNOFILE, ulimit -n)",
  ENFILE: "raise the system's limit of open files (fs.file-max)",
  EIO: "the disk reports errors: look at the kernel's log, and move state_dir to another disk",
};

/** "WHAT in FOLDER cannot be written (ENOSPC: no space left on device): REMEDY". */
export function diskProblem(what: string, folder: string, error: NodeJS.ErrnoException): string {
  const [reason = error.message] = isOverQuota(error)
    ? ["EDQUOT: disk quota exceeded"]
    : error.message.split(", ");
  const remedy = REMEDIES[reason.split(":", 1)[0] ?? ""] ?? "check the folder";
  return `${what} in ${folder} cannot be written (${reason}): ${remedy}`;
}

/** Whether an error came from the operating system, and may go away. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error && "code" in error;
}

/** Whether the file system, or this user's share of it, is full. */
export function isOutOfSpace(error: unknown): boolean {
  return isSystemError(error) && (error.code === "ENOSPC" || isOverQuota(error));
}

/** Node has no name for this one: its code is "Unknown system error -122". */
function isOverQuota(error: NodeJS.ErrnoException): boolean {
  return error.errno === -constants.errno.EDQUOT;
}
