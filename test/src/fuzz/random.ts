/** Numbers that look random and are the same for the same seed: a case is named by its seed and can be made again (sfc32). */
export class SeededRandom {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number, stream: number = 0) {
    this.#a = seed | 0;
    this.#b = Math.trunc(seed / 4_294_967_296) | 0;
    this.#c = stream | 0;
    for (let i = 0; i < 12; i++) this.#next();
  }

  /** 0 … below - 1. */
  below(below: number): number {
    return Math.floor((this.#next() / 4_294_967_296) * below);
  }

  chance(probability: number): boolean {
    return this.#next() < probability * 4_294_967_296;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item;
  }

  /** Small numbers often, large ones seldom: 1 … most. */
  skewed(most: number): number {
    return 1 + (this.below(2 ** this.below(Math.ceil(Math.log2(most)) + 1)) % most);
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    for (let i = 0; i < length; i++) bytes[i] = this.#next();
    return bytes;
  }

  #next(): number {
    const sum = (this.#a + this.#b + this.#counter++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }
}
