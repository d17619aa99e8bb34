import { readFileSync } from "node:fs";

const AT_PAGESZ = 6n;
const USUAL_PAGE_BYTES = 4096;
const ENTRY_BYTES = 16;

/**
 * Bytes of a memory page, from the auxiliary vector that the kernel gave this process; Node has no call for it.
 * 4096 where it cannot be read: right for all but some arm64, ppc64 and loong64 kernels, which are 64-bit little-endian.
 */
export function readPageBytes(auxvFile: string): number {
  try {
    const vector = readFileSync(auxvFile);
    for (let at = 0; at + ENTRY_BYTES <= vector.length; at += ENTRY_BYTES) {
      if (vector.readBigUInt64LE(at) === AT_PAGESZ) return Number(vector.readBigUInt64LE(at + 8));
    }
  } catch {
    // No /proc, or not ours to read: the usual size it is.
  }
  return USUAL_PAGE_BYTES;
}
