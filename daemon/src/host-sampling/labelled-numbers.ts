import type { ProcFile, ProcScanner } from "./proc-scanner.ts";

/** Reads files of "label number" lines: meminfo, vmstat. */
export class LabelledNumbers {
  readonly #labels: readonly Buffer[];
  readonly #values: number[];

  constructor(labels: readonly string[]) {
    this.#labels = labels.map((label) => Buffer.from(label));
    this.#values = labels.map(() => Number.NaN);
  }

  /** The number behind each label in the constructor's order, NaN where it is missing; reused by the next call. */
  read(scanner: ProcScanner, file: ProcFile): readonly number[] {
    if (scanner.read(file)) return this.parse(scanner);
    return this.#values.fill(Number.NaN);
  }

  /** As `read`, of what the scanner has read already. */
  parse(scanner: ProcScanner): readonly number[] {
    this.#values.fill(Number.NaN);
    let missing = this.#labels.length;
    do {
      const index = this.#labels.findIndex((label) => scanner.take(label));
      if (index < 0) continue;
      this.#values[index] = scanner.number();
      missing--;
    } while (missing > 0 && scanner.nextLine());
    return this.#values;
  }
}
