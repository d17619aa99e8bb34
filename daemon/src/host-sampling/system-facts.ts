import { fileURLToPath } from "node:url";
import { askProgram } from "./ask-program.ts";

/** What systeminformation knows of a host beyond Node's own `os`; "" is unknown. */
export interface SystemFacts {
  os: string;
  cpuModel: string;
  /** "none" on real hardware. */
  virtualization: string;
}

const PROGRAM: string = fileURLToPath(new URL("./system-facts-main.js", import.meta.url));
/**
 * Asks systeminformation in a short-lived process of its own: loaded here it keeps 12 MB for good (measured), and some of
 * its calls block. Null when it fails or takes longer than `timeoutMs`.
 */
export function readSystemFacts(timeoutMs: number): Promise<SystemFacts | null> {
  return askProgram<SystemFacts>(PROGRAM, timeoutMs);
}
