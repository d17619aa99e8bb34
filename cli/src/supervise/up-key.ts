import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CollectorError, KeyStore } from "@apm-daemon/collector";
import { CliError } from "../cli-error.ts";

const KEY_NAME = "up";

/**
 * File with the key that the daemon of `apm up` reports with, below the state folder and for its owner's eyes only. A
 * file whose key the collector no longer knows gets a new key. Throws START_REFUSED.
 */
export async function ensureUpKey(stateDir: string): Promise<string> {
  const file = join(stateDir, "up.key");
  try {
    await mkdir(stateDir, { recursive: true, mode: 0o711 });
    const keys = new KeyStore(stateDir);
    const present = await readIfPresent(file);
    if (present !== null && keys.verify(present.trim())) return file;
    if (keys.list().some((key) => key.name === KEY_NAME)) keys.revoke(KEY_NAME);
    await writeWhole(file, `${keys.create(KEY_NAME).key}\n`);
    return file;
  } catch (cause) {
    throw refused(stateDir, cause);
  }
}

async function readIfPresent(file: string): Promise<string | null> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

async function writeWhole(file: string, text: string): Promise<void> {
  const temporary = `${file}.${randomUUID()}`;
  await writeFile(temporary, text, { mode: 0o600, flag: "wx" });
  await rename(temporary, file);
}

function refused(stateDir: string, cause: unknown): unknown {
  if (cause instanceof CollectorError) return new CliError("START_REFUSED", cause.message, { cause });
  const code = (cause as NodeJS.ErrnoException).code;
  if (!code) return cause;
  return new CliError(
    "START_REFUSED",
    `the state folder ${stateDir} cannot be used (${code}); name one that this user may write with --state-dir`,
    { cause },
  );
}
