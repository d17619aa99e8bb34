import { CORPUS_KINDS, type CorpusFile, type CorpusKind, isWellFormed, readCorpus } from "./corpus.ts";
import { mutateBatch } from "./mutate-batch.ts";
import { mutateBytes } from "./mutate-bytes.ts";
import { mutateFrames } from "./mutate-frames.ts";
import { mutateJson } from "./mutate-json.ts";
import { mutateSegment } from "./mutate-segment.ts";
import { SeededRandom } from "./random.ts";

export interface FuzzCase {
  kind: CorpusKind;
  bytes: Buffer;
  /** For what else is decided by chance in this case. */
  random: SeededRandom;
}

/** How often a kind gets its turn, of sixteen. */
const TURNS: Readonly<Record<CorpusKind, number>> = { frames: 10, batches: 3, segments: 2, uplink: 1 };
const ORDER: readonly CorpusKind[] = CORPUS_KINDS.flatMap((kind) =>
  Array.from({ length: TURNS[kind] }, () => kind),
);

/** Makes case number `index` of a seed: the same bytes in every run with the same corpus. */
export class CaseMaker {
  readonly #seed: number;
  readonly #files: Readonly<Record<CorpusKind, CorpusFile[]>>;

  constructor(seed: number) {
    this.#seed = seed;
    this.#files = {
      frames: readCorpus("frames").filter(isWellFormed),
      batches: readCorpus("batches").filter(isWellFormed),
      uplink: readCorpus("uplink").filter(isWellFormed),
      segments: readCorpus("segments").filter(isWellFormed),
    };
  }

  make(index: number): FuzzCase {
    const kind = ORDER[index % ORDER.length] as CorpusKind;
    const random = new SeededRandom(this.#seed, index);
    return { kind, bytes: this.#mutate(kind, random), random };
  }

  /** A case of one kind. */
  makeOf(kind: CorpusKind, index: number): Buffer {
    return this.#mutate(kind, new SeededRandom(this.#seed, index));
  }

  #mutate(kind: CorpusKind, random: SeededRandom): Buffer {
    const { bytes } = random.pick(this.#files[kind]);
    const other = random.pick(this.#files[kind]).bytes;
    if (kind === "frames") return mutateFrames(bytes, random, other);
    if (kind === "batches") return mutateBatch(bytes, random, other);
    if (kind === "segments") return mutateSegment(bytes, random, other);
    return random.chance(0.7) ? mutateJson(bytes, random) : mutateBytes(bytes, random, other);
  }
}
