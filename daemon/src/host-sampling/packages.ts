import { fileURLToPath } from "node:url";
import type { HostPackages } from "@apm-daemon/protocol";
import { askProgram } from "./ask-program.ts";

const PROGRAM: string = fileURLToPath(new URL("./packages-main.js", import.meta.url));
const TIMEOUT_MS = 30_000;

/** Versions of what runs here, asked in a process of its own as in system-facts.ts: here it would keep 8 MB. Null when that fails. */
export function readPackages(): Promise<HostPackages | null> {
  return askProgram<HostPackages>(PROGRAM, TIMEOUT_MS);
}
