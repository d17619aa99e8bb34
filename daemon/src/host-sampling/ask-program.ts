import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** The programs look for others such as dmidecode; nothing else of our environment is their business. */
const ENVIRONMENT = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" };
const MAX_OUTPUT_BYTES = 65_536;

/** The line of JSON that a program of ours prints; null when it fails or takes longer than `timeoutMs`. */
export async function askProgram<Answer>(program: string, timeoutMs: number): Promise<Answer | null> {
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [program], {
      env: ENVIRONMENT,
      timeout: timeoutMs,
      killSignal: "SIGKILL",
      maxBuffer: MAX_OUTPUT_BYTES,
      windowsHide: true,
    });
    return JSON.parse(stdout) as Answer;
  } catch {
    return null;
  }
}
