import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** What systeminformation knows of a host beyond Node's own `os`; "" is unknown. */
export interface SystemFacts {
  os: string;
  cpuModel: string;
  /** "none" on real hardware. */
  virtualization: string;
}

const PROGRAM: string = fileURLToPath(new URL("./system-facts-main.js", import.meta.url));
/** The library looks for programs such as dmidecode; nothing else of our environment is its business. */
const ENVIRONMENT = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" };
const MAX_OUTPUT_BYTES = 65_536;

/**
 * Asks systeminformation in a short-lived process of its own: loaded here it keeps 12 MB for good (measured), and some of
 * its calls block. Null when it fails or takes longer than `timeoutMs`.
 */
export async function readSystemFacts(timeoutMs: number): Promise<SystemFacts | null> {
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM], {
      env: ENVIRONMENT,
      timeout: timeoutMs,
      killSignal: "SIGKILL",
      maxBuffer: MAX_OUTPUT_BYTES,
      windowsHide: true,
    });
    return JSON.parse(stdout) as SystemFacts;
  } catch {
    return null;
  }
}
