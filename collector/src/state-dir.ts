import * as fs from "node:fs";
import * as path from "node:path";
import { CollectorError } from "./collector-error.ts";

/** Makes the state directory and checks that it can be written. Throws STATE_DIR_NOT_WRITABLE. */
export function prepareStateDir(stateDir: string): void {
  const probe = path.join(stateDir, `.probe-${process.pid}`);
  try {
    fs.mkdirSync(stateDir, { recursive: true, mode: 0o711 });
    fs.writeFileSync(probe, "");
    fs.rmSync(probe);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new CollectorError(
      "STATE_DIR_NOT_WRITABLE",
      `the state directory ${stateDir} cannot be written (${code}); make it writable for this user, or choose another with --state-dir DIR`,
      { cause },
    );
  }
}

/** DuckDB's word for a file that another process holds, as the one sentence that a person needs. */
export function stateDirInUse(error: unknown, stateDir: string): CollectorError | null {
  const { message } = error as Error;
  if (!/lock/i.test(message) || !message.includes("collector.lock")) return null;
  const pid = /PID (\d+)/.exec(message)?.[1];
  return new CollectorError(
    "STATE_DIR_IN_USE",
    `another collector${pid ? ` (process ${pid})` : ""} uses the state directory ${stateDir}; stop it, or choose another with --state-dir DIR`,
    { cause: error },
  );
}
