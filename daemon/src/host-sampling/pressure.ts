import { counterDelta } from "./counter-rate.ts";
import { ProcFile, type ProcScanner } from "./proc-scanner.ts";

const SOME = Buffer.from("some ");
const FULL = Buffer.from("full ");
const TOTAL = Buffer.from("total=");
const SPACE = Buffer.from(" ");
const AVERAGES = 3;

interface PressureValues {
  psiCpuSomeRatio: number | null;
  psiMemorySomeRatio: number | null;
  psiMemoryFullRatio: number | null;
  psiIoSomeRatio: number | null;
  psiIoFullRatio: number | null;
}

/** Pressure stall information; all null where the kernel was built or booted without it. */
export class Pressure {
  readonly files: readonly ProcFile[];
  readonly #cpu: StallFile;
  readonly #memory: StallFile;
  readonly #io: StallFile;

  constructor(procRoot: string, scanner: ProcScanner) {
    this.#cpu = new StallFile(`${procRoot}/pressure/cpu`, scanner);
    this.#memory = new StallFile(`${procRoot}/pressure/memory`, scanner);
    this.#io = new StallFile(`${procRoot}/pressure/io`, scanner);
    this.files = [this.#cpu.file, this.#memory.file, this.#io.file];
  }

  sample(elapsedSec: number): PressureValues {
    const cpu = this.#cpu.sample(elapsedSec);
    const memory = this.#memory.sample(elapsedSec);
    const io = this.#io.sample(elapsedSec);
    return {
      psiCpuSomeRatio: cpu.some,
      psiMemorySomeRatio: memory.some,
      psiMemoryFullRatio: memory.full,
      psiIoSomeRatio: io.some,
      psiIoFullRatio: io.full,
    };
  }

  close(): void {
    for (const file of [this.#cpu, this.#memory, this.#io]) file.close();
  }
}

/** One resource: two lines "some|full avg10=… avg60=… avg300=… total=<µs stalled since boot>". */
class StallFile {
  readonly file: ProcFile;
  readonly #scanner: ProcScanner;
  #someBeforeUs = Number.NaN;
  #fullBeforeUs = Number.NaN;

  constructor(path: string, scanner: ProcScanner) {
    this.file = new ProcFile(path);
    this.#scanner = scanner;
  }

  sample(elapsedSec: number): { some: number | null; full: number | null } {
    let someUs = Number.NaN;
    let fullUs = Number.NaN;
    if (this.#scanner.read(this.file)) {
      do {
        if (this.#scanner.take(SOME)) someUs = this.#readTotalUs();
        else if (this.#scanner.take(FULL)) fullUs = this.#readTotalUs();
      } while (this.#scanner.nextLine());
    }
    const ratios = {
      some: stallRatio(someUs, this.#someBeforeUs, elapsedSec),
      full: stallRatio(fullUs, this.#fullBeforeUs, elapsedSec),
    };
    this.#someBeforeUs = someUs;
    this.#fullBeforeUs = fullUs;
    return ratios;
  }

  close(): void {
    this.file.close();
  }

  #readTotalUs(): number {
    this.#scanner.skip(AVERAGES);
    return this.#scanner.take(SPACE) && this.#scanner.take(TOTAL) ? this.#scanner.number() : Number.NaN;
  }
}

/** At most 1: the kernel's clock and ours do not tick together. */
function stallRatio(nowUs: number, beforeUs: number, elapsedSec: number): number | null {
  const deltaUs = counterDelta(nowUs, beforeUs);
  return deltaUs === null || !(elapsedSec > 0) ? null : Math.min(1, deltaUs / (elapsedSec * 1e6));
}
