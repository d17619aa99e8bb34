import { readFileSync } from "node:fs";

/** A container's users are unknown here for good: do not read the file again for each of them. */
const REREAD_AFTER_MS = 60_000;
/** A file with a million users is a directory server's job; the rest show as numbers. */
const MAX_USERS = 10_000;

/** User names of a passwd file. Users of a directory server (LDAP) show as their numbers. */
export class UserNames {
  readonly #passwdFile: string;
  #names: ReadonlyMap<number, string> = new Map();
  #readMonoMs = Number.NEGATIVE_INFINITY;

  constructor(passwdFile: string) {
    this.#passwdFile = passwdFile;
  }

  /** The name, or the number as text where there is none. */
  nameOf(uid: number, monoMs: number): string {
    if (!this.#names.has(uid) && monoMs - this.#readMonoMs >= REREAD_AFTER_MS) {
      this.#readMonoMs = monoMs;
      this.#names = readNames(this.#passwdFile);
    }
    return this.#names.get(uid) ?? String(uid);
  }
}

function readNames(passwdFile: string): Map<number, string> {
  const names = new Map<number, string>();
  let text: string;
  try {
    text = readFileSync(passwdFile, "utf8");
  } catch {
    return names;
  }
  for (const line of text.split("\n")) {
    const [name = "", , uid = ""] = line.split(":");
    if (name !== "" && /^\d+$/.test(uid) && !names.has(Number(uid))) names.set(Number(uid), name);
    if (names.size >= MAX_USERS) break;
  }
  return names;
}
