import { execFileSync } from "node:child_process";
import type { Cleanup } from "./cleanup.ts";

/** What node:test wants as `skip` for tests that mount. */
export const skipUnlessMountable: string | false =
  process.platform === "linux" && process.getuid?.() === 0
    ? false
    : "mounting a small file system takes root on Linux";

/** A file system in memory of so many KiB, mounted over a folder until clean-up. */
export function mountSmallDisk(cleanup: Cleanup, path: string, sizeKiB: number): void {
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${sizeKiB}k,mode=0711`, "apm-test", path]);
  cleanup.add(() => {
    execFileSync("umount", ["--lazy", path]);
  });
}
