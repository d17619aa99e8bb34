import type { Cleanup } from "./cleanup.ts";
import { findProgram } from "./parts.ts";
import { Program } from "./program.ts";

const FOREVER_US = 600_000_000;

/** Lets system calls of a running process hang before they do anything, on one file if `path` is given; the answer ends that. */
export async function hangCalls(
  cleanup: Cleanup,
  pid: number,
  calls: readonly string[],
  path?: string,
): Promise<() => Promise<void>> {
  const names = calls.join(",");
  const strace = new Program({
    name: "strace",
    command: findProgram("strace") ?? "strace",
    args: [
      "-f",
      `-p${pid}`,
      `-etrace=${names}`,
      `-einject=${names}:delay_enter=${FOREVER_US}`,
      ...(path === undefined ? [] : ["-P", path]),
    ],
  });
  const end = async (): Promise<void> => {
    // Not gently: it would wait for the calls that it holds.
    await strace.kill();
  };
  cleanup.add(end);
  await strace.waitForOutput(/attached/);
  return end;
}
