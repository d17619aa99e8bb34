/**
 * Batches, mostly of one row, that the collector can never take: kept for whoever finds out why.
 *
 *   <stream>.<number>.batch   the bytes as they were sent; "apm batch show" prints them
 *   <stream>.<number>.json    the collector's reason, and what the batch was part of
 *
 * Bounded in bytes and in files, the oldest go first, counted. Sizes are what the folder holds, never a counter of ours.
 */
import { mkdirSync, readdirSync, statSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import type { BatchHeader, BatchIdentity } from "@apm-daemon/protocol";
import { writeFileAtomically } from "./atomic-file.ts";

export interface DeadLetter {
  identity: BatchIdentity;
  /** Null when the bytes cannot be read as a batch. */
  header: BatchHeader | null;
  bytes: Uint8Array;
  code: string;
  message: string;
}

export interface DeadLettersOptions {
  dir: string;
  capBytes: number;
  clock: { unixMs(): number };
}

const MAX_LETTERS = 1_000;
const NAME = /^(.+)\.(?:batch|json)$/;

interface KeptLetter {
  name: string;
  bytes: number;
  writtenMs: number;
}

export class DeadLetters {
  readonly #options: DeadLettersOptions;
  /** Letters deleted because of the cap, since start. */
  dropped = 0;
  /** The newest one's reason, since start. */
  lastReason = "";

  constructor(options: DeadLettersOptions) {
    this.#options = options;
    mkdirSync(options.dir, { recursive: true, mode: 0o700 });
  }

  /** Letters that lie in the folder now: an admin may have deleted some. */
  get count(): number {
    try {
      return readdirSync(this.#options.dir).filter((file) => file.endsWith(".batch")).length;
    } catch {
      return 0;
    }
  }

  /** Rejects with the file system's error. */
  async put(letter: DeadLetter): Promise<void> {
    const { identity, header, bytes, code, message } = letter;
    const path = join(this.#options.dir, `${identity.stream}.${identity.number}`);
    const rows = header === null ? {} : rowCounts(header);
    const refusedUnixMs = this.#options.clock.unixMs();
    const reason = { code, message, ...identity, partOf: header?.partOf ?? null, rows, refusedUnixMs };
    await writeFileAtomically(`${path}.json`, Buffer.from(`${JSON.stringify(reason, null, 2)}\n`));
    await writeFileAtomically(`${path}.batch`, bytes);
    this.lastReason = message;
    this.#keepWithinCap();
  }

  #keepWithinCap(): void {
    const kept = this.#kept();
    let bytes = kept.reduce((sum, letter) => sum + letter.bytes, 0);
    while (kept.length > 1 && (bytes > this.#options.capBytes || kept.length > MAX_LETTERS)) {
      const oldest = kept.shift() as KeptLetter;
      bytes -= oldest.bytes;
      for (const kind of ["batch", "json"]) deleteIfThere(join(this.#options.dir, `${oldest.name}.${kind}`));
      this.dropped++;
    }
  }

  /** Oldest first. */
  #kept(): KeptLetter[] {
    const letters = new Map<string, KeptLetter>();
    for (const file of readdirSync(this.#options.dir)) {
      const name = NAME.exec(file)?.[1];
      if (name === undefined) continue;
      const { size, mtimeMs } = statSync(join(this.#options.dir, file));
      const letter = letters.get(name) ?? { name, bytes: 0, writtenMs: mtimeMs };
      letter.bytes += size;
      letters.set(name, letter);
    }
    return [...letters.values()].sort((a, b) => a.writtenMs - b.writtenMs || (a.name < b.name ? -1 : 1));
  }
}

/** How many rows of each kind, e.g. { actions: 1 }. */
function rowCounts(header: BatchHeader): Record<string, number> {
  const lists = Object.entries(header).filter(([, value]: [string, unknown]) => Array.isArray(value));
  const counts = lists.map(([field, rows]) => [field, (rows as unknown[]).length] as const);
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

function deleteIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Gone, or the disk refuses: then the next scan counts it again.
  }
}
