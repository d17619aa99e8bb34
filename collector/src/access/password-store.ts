import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import * as z from "zod";
import { CollectorError } from "../collector-error.ts";
import { fileMark, fsyncFolder, replacePrivateFile } from "../private-file.ts";

const PasswordFileSchema = z.object({
  version: z.literal(1),
  scrypt: z.object({
    N: z.int().min(2).max(1_048_576),
    r: z.int().min(1).max(32),
    p: z.int().min(1).max(16),
  }),
  salt: z.string().regex(/^[0-9a-f]{32}$/),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
});
type StoredPassword = z.output<typeof PasswordFileSchema>;

/**
 * OWASP's Password Storage Cheat Sheet names N = 2^15, r = 8, p = 3 as strong as N = 2^17, p = 1, with a quarter of the memory: 32 MiB
 * for each check, of which there is one at a time.
 */
const COST = { N: 32_768, r: 8, p: 3 } as const;
const HASH_BYTES = 32;
export const MIN_PASSWORD_CHARS = 12;
/** Of UTF-8; more is no password. */
export const MAX_PASSWORD_BYTES = 1_024;

/** The console's password, as scrypt's hash in `<stateDir>/password.json` (mode 0600), which is read again when it changed. */
export class PasswordStore {
  readonly #file: string;
  #stored: StoredPassword | null = null;
  #seen = "";
  /** Checks wait for each other, so that many log-ins at once cost no more memory than one. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(stateDir: string) {
    this.#file = path.join(stateDir, "password.json");
  }

  /** Changes whenever the password does; null without one. Throws PASSWORD_UNREADABLE. */
  get mark(): string | null {
    return this.#current()?.salt ?? null;
  }

  /** Throws PASSWORD_NOT_USABLE or STATE_DIR_NOT_WRITABLE. */
  async set(password: string): Promise<void> {
    const text = normal(password);
    if (Array.from(text).length < MIN_PASSWORD_CHARS || Buffer.byteLength(text) > MAX_PASSWORD_BYTES)
      throw new CollectorError(
        "PASSWORD_NOT_USABLE",
        `a password has at least ${MIN_PASSWORD_CHARS} characters, and at most ${MAX_PASSWORD_BYTES} bytes; several words make a good one`,
      );
    const salt = randomBytes(16);
    const hash = await derived(text, salt, COST);
    const stored: StoredPassword = {
      version: 1,
      scrypt: COST,
      salt: salt.toString("hex"),
      hash: hash.toString("hex"),
    };
    replacePrivateFile(this.#file, `${JSON.stringify(stored, null, 2)}\n`);
  }

  /** Whether there was one. Throws STATE_DIR_NOT_WRITABLE. */
  remove(): boolean {
    try {
      if (!fs.existsSync(this.#file)) return false;
      fs.rmSync(this.#file);
      fsyncFolder(path.dirname(this.#file));
      return true;
    } catch (cause) {
      throw new CollectorError(
        "STATE_DIR_NOT_WRITABLE",
        `${this.#file} cannot be removed (${(cause as NodeJS.ErrnoException).code}); use the user that the collector runs as, or root`,
        { cause },
      );
    }
  }

  /** False without a password too. Rejects with PASSWORD_UNREADABLE. */
  verify(password: string): Promise<boolean> {
    const verdict = this.#turn.then(async () => {
      const stored = this.#current();
      const text = normal(password);
      if (stored === null || Buffer.byteLength(text) > MAX_PASSWORD_BYTES) return false;
      const hash = await derived(text, Buffer.from(stored.salt, "hex"), stored.scrypt);
      return timingSafeEqual(hash, Buffer.from(stored.hash, "hex"));
    });
    this.#turn = verdict.catch(() => undefined);
    return verdict;
  }

  #current(): StoredPassword | null {
    try {
      const seen = fileMark(this.#file);
      if (seen === this.#seen) return this.#stored;
      this.#stored =
        seen === "absent" ? null : PasswordFileSchema.parse(JSON.parse(fs.readFileSync(this.#file, "utf8")));
      this.#seen = seen;
      return this.#stored;
    } catch (cause) {
      this.#seen = "";
      throw new CollectorError(
        "PASSWORD_UNREADABLE",
        `${this.#file} cannot be read as a password (${(cause as NodeJS.ErrnoException).code ?? "it is damaged"}); set one anew with "apm password", as the user that the collector runs as`,
        { cause },
      );
    }
  }
}

/** The same characters, however a keyboard composed them. */
function normal(password: string): string {
  return password.normalize("NFKC");
}

function derived(text: string, salt: Buffer, { N, r, p }: StoredPassword["scrypt"]): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // Twice what the algorithm itself needs, which is Node's own bound for it.
    scrypt(text, salt, HASH_BYTES, { N, r, p, maxmem: 256 * N * r }, (error, hash) =>
      error ? reject(error) : resolve(hash),
    );
  });
}
