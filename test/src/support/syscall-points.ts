import { dirname } from "node:path";

/** One system call on one file of the state folder: the `nth` call of its kind on that path. */
export interface SyscallPoint {
  syscall: string;
  path: string;
  nth: number;
}

/** What changes the disk, or says that it holds. `close` too: the next call after it may be another thread's. */
export const DISK_CALLS: readonly string[] = [
  "openat",
  "write",
  "writev",
  "pwrite64",
  "pwritev",
  "fsync",
  "fdatasync",
  "ftruncate",
  "fallocate",
  "rename",
  "renameat",
  "renameat2",
  "link",
  "linkat",
  "unlink",
  "unlinkat",
  "mkdir",
  "mkdirat",
  "close",
];

const CALL = /^\d+\s+(\w+)\((.*)$/;

/** The calls below `folders` in a recording of `strace -f -y`, in their order; opening a file only to read it is left out. */
export function syscallPoints(recording: string, folders: readonly string[]): SyscallPoint[] {
  const seen = new Map<string, number>();
  return recording.split("\n").flatMap((line): SyscallPoint[] => {
    const [, syscall, args = ""] = CALL.exec(line) ?? [];
    if (syscall === undefined || (syscall === "openat" && args.includes("O_RDONLY"))) return [];
    const path = pathsIn(args).find((candidate) => folders.some((folder) => isIn(candidate, folder)));
    if (path === undefined) return [];
    const nth = (seen.get(`${syscall} ${path}`) ?? 0) + 1;
    seen.set(`${syscall} ${path}`, nth);
    return [{ syscall, path, nth }];
  });
}

/** Names in quotes, and those that -y shows of descriptors. */
function pathsIn(args: string): string[] {
  return [...args.matchAll(/"(\/[^"]*)"|\d<(\/[^>]*)>/g)].map(([, quoted, shown]) => quoted ?? shown ?? "");
}

function isIn(path: string, folder: string): boolean {
  return path === folder || dirname(path) === folder;
}
