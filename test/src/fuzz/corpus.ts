import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Well-formed messages, batches, uplink texts and journal segments, and whatever once broke a reader ("found-…").
 * They are changed by chance to make cases; as they are, each is a case of its own.
 */
export type CorpusKind = "frames" | "batches" | "uplink" | "segments";
export const CORPUS_KINDS: readonly CorpusKind[] = ["frames", "batches", "uplink", "segments"];

const FOLDER = fileURLToPath(new URL("../../fuzz-corpus/", import.meta.url));
/** Begins the names of files that may be malformed. */
const FOUND = "found-";

export interface CorpusFile {
  name: string;
  bytes: Buffer;
}

/** All files of a kind, by name, so that a seed means the same cases everywhere. */
export function readCorpus(kind: CorpusKind): CorpusFile[] {
  const folder = join(FOLDER, kind);
  return readdirSync(folder)
    .sort()
    .map((name) => ({ name, bytes: readFileSync(join(folder, name)) }));
}

export function isWellFormed({ name }: CorpusFile): boolean {
  return !name.startsWith(FOUND);
}

export function writeCorpusFile(kind: CorpusKind, name: string, bytes: Buffer): string {
  mkdirSync(join(FOLDER, kind), { recursive: true });
  const path = join(FOLDER, kind, name);
  writeFileSync(path, bytes);
  return path;
}

/** Keeps a case that broke a reader; its name says how to make it again. */
export function writeReproducer(kind: CorpusKind, seed: number, index: number, bytes: Buffer): string {
  return writeCorpusFile(kind, `${FOUND}seed-${seed}-case-${index}.bin`, bytes);
}
