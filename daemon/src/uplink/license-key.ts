import { readFileSync } from "node:fs";
import { DaemonError } from "../errors.ts";

/** The license key in a file; null when no file is configured and while it is empty, as in a unit before it has a key. Throws LICENSE_KEY_UNREADABLE, which never shows the key. */
export function readLicenseKey(file: string | undefined): string | null {
  if (file === undefined) return null;
  let key: string;
  try {
    key = readFileSync(file, "utf8").trim();
  } catch (cause) {
    throw new DaemonError(
      "LICENSE_KEY_UNREADABLE",
      `the license key file ${file} cannot be read (${(cause as NodeJS.ErrnoException).code}): make a key with "apm key create NAME" at the collector and put it there`,
      { cause },
    );
  }
  if (key === "") return null;
  if (!/^[\w.~+/=-]{16,512}$/.test(key)) {
    throw new DaemonError(
      "LICENSE_KEY_UNREADABLE",
      `the license key file ${file} does not hold a key alone: put the line that "apm key create NAME" printed there`,
    );
  }
  return key;
}
