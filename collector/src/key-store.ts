import { createHash, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import * as z from "zod";
import { CollectorError } from "./collector-error.ts";
import { fsyncFolder } from "./private-file.ts";

/** A key as it may be shown: never the key itself, which nobody but its owner has. */
export interface KeyInfo {
  id: string;
  name: string;
  createdUnixMs: number;
  /** The last four characters of the key; keys of older releases have none. */
  ending?: string;
}

export interface CreatedKey extends KeyInfo {
  /** The kind's prefix and 32 random bytes in base64url; shown once, only its hash is stored. */
  key: string;
}

/** What a list of keys is for. */
export interface KeyKind {
  file: string;
  prefix: string;
  noun: string;
  /** The command that changes the list. */
  command: string;
}

/** Daemons report with them. */
const LICENSE_KEYS: KeyKind = { file: "keys.json", prefix: "apm_", noun: "key", command: "apm key" };
/** Scripts read the API with them. */
export const API_TOKENS: KeyKind = {
  file: "tokens.json",
  prefix: "apm_token_",
  noun: "token",
  command: "apm token",
};

const KeysFileSchema = z.object({
  version: z.literal(1),
  keys: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      createdUnixMs: z.number(),
      ending: z.exactOptional(z.string().max(4)),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
});
type StoredKey = z.output<typeof KeysFileSchema>["keys"][number];

const NAME_PATTERN = /^[\p{L}\p{N}][\p{L}\p{N} ._@-]{0,63}$/u;
const MAX_KEYS = 1_000;
/** A writer that died leaves its temporary file; nobody needs this long to write one. */
const STALE_WRITER_MS = 10_000;

/**
 * License keys, hashed, in `<stateDir>/keys.json` (mode 0600), or API tokens in `tokens.json`. Keys have 256 random bits, so a plain SHA-256 is enough.
 *
 * The file is read again when it changed, so a key made by `apm key create` works in a running collector at once.
 * Writers take turns by creating the temporary file exclusively; readers see the old or the new file, never a part.
 */
export class KeyStore {
  readonly #file: string;
  readonly #clock: () => number;
  readonly #kind: KeyKind;
  #keys: StoredKey[] = [];
  #seen = "";

  constructor(stateDir: string, clock: () => number = Date.now, kind: KeyKind = LICENSE_KEYS) {
    this.#file = path.join(stateDir, kind.file);
    this.#clock = clock;
    this.#kind = kind;
  }

  /** Throws KEY_NAME_INVALID, KEY_NAME_TAKEN, KEYS_TOO_MANY, KEYS_BUSY, KEYS_UNREADABLE or STATE_DIR_NOT_WRITABLE. */
  create(name: string): CreatedKey {
    const { prefix, noun, command } = this.#kind;
    if (!NAME_PATTERN.test(name)) {
      throw new CollectorError(
        "KEY_NAME_INVALID",
        `the ${noun} name ${JSON.stringify(name.slice(0, 80))} is not usable; take 1 to 64 letters, digits, spaces or . _ @ - and begin with a letter or digit`,
      );
    }
    const key = `${prefix}${randomBytes(32).toString("base64url")}`;
    const info: KeyInfo = {
      id: randomUUID().slice(0, 8),
      name,
      createdUnixMs: this.#clock(),
      ending: key.slice(-4),
    };
    this.#change((keys) => {
      if (keys.some((other) => other.name === name)) {
        throw new CollectorError(
          "KEY_NAME_TAKEN",
          `a ${noun} named "${name}" exists; take another name, or revoke that one first with: ${command} revoke "${name}"`,
        );
      }
      if (keys.length >= MAX_KEYS)
        throw new CollectorError(
          "KEYS_TOO_MANY",
          `there are ${MAX_KEYS} ${noun}s already; revoke unused ones first`,
        );
      return [...keys, { ...info, sha256: hash(key).toString("hex") }];
    });
    return { ...info, key };
  }

  /** All live keys, oldest first. */
  list(): KeyInfo[] {
    this.#refresh();
    return this.#keys.map(publicPart);
  }

  /** Removes the key with this name or id; uplinks that use it are cut within seconds. Throws KEY_UNKNOWN. */
  revoke(nameOrId: string): KeyInfo {
    let revoked: StoredKey | undefined;
    this.#change((keys) => {
      revoked = keys.find((key) => key.name === nameOrId || key.id === nameOrId);
      return keys.filter((key) => key !== revoked);
    });
    if (!revoked) {
      throw new CollectorError(
        "KEY_UNKNOWN",
        `there is no ${this.#kind.noun} named ${JSON.stringify(nameOrId.slice(0, 80))}; see the names with: ${this.#kind.command} list`,
      );
    }
    return publicPart(revoked);
  }

  /** The key's record, or null when it is unknown or revoked. */
  verify(key: string): KeyInfo | null {
    this.#refresh();
    const digest = hash(key);
    let found: StoredKey | null = null;
    for (const stored of this.#keys) {
      if (timingSafeEqual(Buffer.from(stored.sha256, "hex"), digest)) found = stored;
    }
    return found && publicPart(found);
  }

  /** Throws KEYS_UNREADABLE when there is a file of keys that cannot be used; no file is no keys. */
  check(): void {
    this.#refresh();
  }

  #refresh(): void {
    const stat = this.#stat();
    const seen = stat ? `${stat.ino}:${stat.size}:${stat.mtimeMs}` : "absent";
    if (seen === this.#seen) return;
    this.#keys = stat ? this.#read() : [];
    this.#seen = seen;
  }

  #stat(): fs.Stats | undefined {
    try {
      return fs.statSync(this.#file, { throwIfNoEntry: false });
    } catch (cause) {
      throw unreadable(this.#file, cause);
    }
  }

  #read(): StoredKey[] {
    try {
      return KeysFileSchema.parse(JSON.parse(fs.readFileSync(this.#file, "utf8"))).keys;
    } catch (cause) {
      throw unreadable(this.#file, cause);
    }
  }

  #change(edit: (keys: StoredKey[]) => StoredKey[]): void {
    const temporary = `${this.#file}.new`;
    const fd = this.#openExclusively(temporary);
    try {
      this.#seen = "";
      this.#refresh();
      const keys = edit(this.#keys);
      fs.writeFileSync(fd, `${JSON.stringify({ version: 1, keys }, null, 2)}\n`);
      fs.fsyncSync(fd);
      fs.renameSync(temporary, this.#file);
    } catch (error) {
      fs.rmSync(temporary, { force: true });
      throw error;
    } finally {
      fs.closeSync(fd);
    }
    fsyncFolder(path.dirname(this.#file));
  }

  #openExclusively(temporary: string): number {
    try {
      const stat = fs.statSync(temporary, { throwIfNoEntry: false });
      if (stat && this.#clock() - stat.mtimeMs > STALE_WRITER_MS) fs.rmSync(temporary, { force: true });
      fs.mkdirSync(path.dirname(this.#file), { recursive: true, mode: 0o711 });
      return fs.openSync(temporary, "wx", 0o600);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "EEXIST") {
        throw new CollectorError(
          "KEYS_BUSY",
          `${temporary} exists: keys are being changed; try again in a moment`,
          {
            cause,
          },
        );
      }
      throw new CollectorError(
        "STATE_DIR_NOT_WRITABLE",
        `${this.#file} cannot be written (${(cause as NodeJS.ErrnoException).code}); use a state directory that this user may write`,
        { cause },
      );
    }
  }
}

/** A list that is another user's is not damaged: nobody should be told to remove it. */
function unreadable(file: string, cause: unknown): CollectorError {
  const { code } = cause as NodeJS.ErrnoException;
  const sentence =
    code === "EACCES" || code === "EPERM"
      ? `${file} may not be read by this user (${code}); use the user that the collector runs as, or root`
      : `${file} cannot be read as a list of keys; restore it, or remove it and create new keys`;
  return new CollectorError("KEYS_UNREADABLE", sentence, { cause });
}

function hash(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}

function publicPart(stored: StoredKey): KeyInfo {
  const { sha256: _, ...shown } = stored;
  return shown;
}
