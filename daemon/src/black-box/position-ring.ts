/** The last few journal positions: one number is all that the way of a frame pays for a later report. */
export class PositionRing {
  readonly #positions: Float64Array;
  #noted = 0;

  constructor(capacity: number) {
    this.#positions = new Float64Array(capacity);
  }

  note(position: number): void {
    this.#positions[this.#noted++ % this.#positions.length] = position;
  }

  newestFirst(): number[] {
    const held = Math.min(this.#noted, this.#positions.length);
    return Array.from({ length: held }, (_, i) => {
      return this.#positions[(this.#noted - 1 - i) % this.#positions.length] ?? 0;
    });
  }
}
