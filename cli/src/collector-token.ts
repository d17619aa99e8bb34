import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { CliContext } from "./cli-context.ts";
import { CliError } from "./cli-error.ts";

/**
 * The header that says who asks a collector: with the token in the file that is named, by an option or APM_TOKEN_FILE, else with the first
 * license key of these files that is there. Nothing without any: most collectors ask for none. Throws FILE_UNREADABLE.
 */
export function tokenHeader(
  { env, cwd }: Pick<CliContext, "env" | "cwd">,
  named: string | undefined,
  licenseKeyFiles: readonly (string | undefined)[] = [],
): Record<string, string> {
  const tokenFile = named ?? env["APM_TOKEN_FILE"];
  const keyFile = licenseKeyFiles.find((file) => file !== undefined && existsSync(file));
  const file = tokenFile ? resolve(cwd, tokenFile) : keyFile;
  if (file === undefined) return {};
  try {
    const token = readFileSync(file, "utf8").trim();
    // What is no token would be no header either.
    return /^[\w.~+/=-]{1,512}$/.test(token) ? { authorization: `Bearer ${token}` } : {};
  } catch (cause) {
    // A license key that this user may not read is no mistake; a file that somebody named is.
    if (!tokenFile) return {};
    throw new CliError(
      "FILE_UNREADABLE",
      `the token file ${file} cannot be read (${(cause as NodeJS.ErrnoException).code}); make a token with "apm token create NAME" on the collector's host`,
      { cause },
    );
  }
}
