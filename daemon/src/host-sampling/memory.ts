import { counterDelta, presentOrNull, ratePerSecond } from "./counter-rate.ts";
import { LabelledNumbers } from "./labelled-numbers.ts";
import { ProcFile, type ProcScanner } from "./proc-scanner.ts";

const MEMINFO = [
  "MemTotal:",
  "MemAvailable:",
  "Buffers:",
  "Cached:",
  "SReclaimable:",
  "Dirty:",
  "SwapTotal:",
  "SwapFree:",
] as const;
const VMSTAT = ["pswpin ", "pswpout ", "oom_kill "] as const;
const KIB = 1024;

interface MemoryValues {
  memTotalBytes: number | null;
  memAvailableBytes: number | null;
  memUsedBytes: number | null;
  memBuffersBytes: number | null;
  memCachedBytes: number | null;
  memDirtyBytes: number | null;
  swapTotalBytes: number | null;
  swapUsedBytes: number | null;
  swapInBytesPerSecond: number | null;
  swapOutBytesPerSecond: number | null;
  oomKills: number | null;
}

/** Memory of /proc/meminfo; swap traffic and kills for lack of memory of /proc/vmstat. */
export class Memory {
  readonly files: readonly ProcFile[];
  readonly #meminfo: ProcFile;
  readonly #vmstat: ProcFile;
  readonly #scanner: ProcScanner;
  readonly #pageBytes: number;
  readonly #meminfoNumbers: LabelledNumbers = new LabelledNumbers(MEMINFO);
  readonly #vmstatNumbers: LabelledNumbers = new LabelledNumbers(VMSTAT);
  #before: readonly number[] = [];

  constructor(procRoot: string, scanner: ProcScanner, pageBytes: number) {
    this.#meminfo = new ProcFile(`${procRoot}/meminfo`);
    this.#vmstat = new ProcFile(`${procRoot}/vmstat`);
    this.files = [this.#meminfo, this.#vmstat];
    this.#scanner = scanner;
    this.#pageBytes = pageBytes;
  }

  sample(elapsedSec: number): MemoryValues {
    return { ...this.#sizes(), ...this.#traffic(elapsedSec) };
  }

  close(): void {
    this.#meminfo.close();
    this.#vmstat.close();
  }

  #sizes(): Omit<MemoryValues, "swapInBytesPerSecond" | "swapOutBytesPerSecond" | "oomKills"> {
    const kib = this.#meminfoNumbers.read(this.#scanner, this.#meminfo);
    const bytes = (label: (typeof MEMINFO)[number]): number =>
      (kib[MEMINFO.indexOf(label)] ?? Number.NaN) * KIB;
    return {
      memTotalBytes: presentOrNull(bytes("MemTotal:")),
      memAvailableBytes: presentOrNull(bytes("MemAvailable:")),
      memUsedBytes: presentOrNull(bytes("MemTotal:") - bytes("MemAvailable:")),
      memBuffersBytes: presentOrNull(bytes("Buffers:")),
      memCachedBytes: presentOrNull(bytes("Cached:") + bytes("SReclaimable:")),
      memDirtyBytes: presentOrNull(bytes("Dirty:")),
      swapTotalBytes: presentOrNull(bytes("SwapTotal:")),
      swapUsedBytes: presentOrNull(bytes("SwapTotal:") - bytes("SwapFree:")),
    };
  }

  #traffic(
    elapsedSec: number,
  ): Pick<MemoryValues, "swapInBytesPerSecond" | "swapOutBytesPerSecond" | "oomKills"> {
    const now = [...this.#vmstatNumbers.read(this.#scanner, this.#vmstat)];
    const before = this.#before;
    this.#before = now;
    const [swapIn = Number.NaN, swapOut = Number.NaN, kills = Number.NaN] = now;
    const [swapInBefore = Number.NaN, swapOutBefore = Number.NaN, killsBefore = Number.NaN] = before;
    return {
      swapInBytesPerSecond: this.#pagesToBytes(ratePerSecond(swapIn, swapInBefore, elapsedSec)),
      swapOutBytesPerSecond: this.#pagesToBytes(ratePerSecond(swapOut, swapOutBefore, elapsedSec)),
      oomKills: counterDelta(kills, killsBefore),
    };
  }

  #pagesToBytes(pages: number | null): number | null {
    return pages === null ? null : pages * this.#pageBytes;
  }
}
