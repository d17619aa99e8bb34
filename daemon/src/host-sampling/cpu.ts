import { counterDelta, presentOrNull, ratePerSecond } from "./counter-rate.ts";
import { ProcFile, type ProcScanner } from "./proc-scanner.ts";

/** The ten columns of a cpu line end in guest and guest_nice, which user and nice contain already. */
const MODES = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"] as const;
const IDLE = 3;
const IOWAIT = 4;
const STEAL = 7;

const CPU = Buffer.from("cpu");
const SPACE = Buffer.from(" ");
const CONTEXT_SWITCHES = Buffer.from("ctxt ");
const FORKS = Buffer.from("processes ");
const RUNNING = Buffer.from("procs_running ");
const BLOCKED = Buffer.from("procs_blocked ");

/** CPU ticks since boot by mode, in the order of MODES; NaN where the kernel has no such column. */
type Ticks = number[];

interface StatReading {
  ticks: Ticks;
  contextSwitches: number;
  forks: number;
  running: number;
  blocked: number;
}

interface CpuValues {
  cpuUserRatio: number | null;
  cpuSystemRatio: number | null;
  cpuNiceRatio: number | null;
  cpuIowaitRatio: number | null;
  cpuIrqRatio: number | null;
  cpuSoftirqRatio: number | null;
  cpuStealRatio: number | null;
  cpuIdleRatio: number | null;
  procsRunnable: number | null;
  procsBlocked: number | null;
  contextSwitchesPerSecond: number | null;
  forksPerSecond: number | null;
}

const NO_READING: StatReading = {
  ticks: [],
  contextSwitches: Number.NaN,
  forks: Number.NaN,
  running: Number.NaN,
  blocked: Number.NaN,
};

/** CPU time by mode, scheduling and process counters of /proc/stat. */
export class Cpu {
  readonly files: readonly ProcFile[];
  readonly #file: ProcFile;
  readonly #scanner: ProcScanner;
  #before: StatReading = NO_READING;
  #coresBefore: ReadonlyMap<string, Ticks> = new Map();

  constructor(procRoot: string, scanner: ProcScanner) {
    this.#file = new ProcFile(`${procRoot}/stat`);
    this.files = [this.#file];
    this.#scanner = scanner;
  }

  sample(elapsedSec: number): CpuValues {
    const now = this.#read();
    const before = this.#before;
    this.#before = now;
    const ratios = tickRatios(now.ticks, before.ticks);
    const ratio = (mode: (typeof MODES)[number]): number | null => ratios?.[MODES.indexOf(mode)] ?? null;
    return {
      cpuUserRatio: ratio("user"),
      cpuSystemRatio: ratio("system"),
      cpuNiceRatio: ratio("nice"),
      cpuIowaitRatio: ratio("iowait"),
      cpuIrqRatio: ratio("irq"),
      cpuSoftirqRatio: ratio("softirq"),
      cpuStealRatio: ratio("steal"),
      cpuIdleRatio: ratio("idle"),
      procsRunnable: presentOrNull(now.running),
      procsBlocked: presentOrNull(now.blocked),
      contextSwitchesPerSecond: ratePerSecond(now.contextSwitches, before.contextSwitches, elapsedSec),
      forksPerSecond: ratePerSecond(now.forks, before.forks, elapsedSec),
    };
  }

  /** Busy share of each core that was online since the last call, in the kernel's order; empty at first. */
  coreBusyRatios(): number[] {
    const now = this.#readCores();
    const before = this.#coresBefore;
    this.#coresBefore = now;
    const busy: number[] = [];
    for (const [core, ticks] of now) {
      const ratios = tickRatios(ticks, before.get(core) ?? []);
      if (ratios !== null) busy.push(Math.max(0, 1 - (ratios[IDLE] ?? 0) - (ratios[IOWAIT] ?? 0)));
    }
    return busy;
  }

  close(): void {
    this.#file.close();
  }

  #read(): StatReading {
    const reading: StatReading = { ...NO_READING };
    const scanner = this.#scanner;
    if (!scanner.read(this.#file)) return reading;
    do {
      if (scanner.take(CPU)) {
        if (scanner.take(SPACE)) reading.ticks = this.#readTicks();
      } else if (scanner.take(CONTEXT_SWITCHES)) reading.contextSwitches = scanner.number();
      else if (scanner.take(FORKS)) reading.forks = scanner.number();
      else if (scanner.take(RUNNING)) reading.running = scanner.number();
      else if (scanner.take(BLOCKED)) reading.blocked = scanner.number();
    } while (scanner.nextLine());
    return reading;
  }

  #readCores(): Map<string, Ticks> {
    const cores = new Map<string, Ticks>();
    const scanner = this.#scanner;
    if (!scanner.read(this.#file)) return cores;
    do {
      if (!scanner.take(CPU)) break;
      if (!scanner.take(SPACE)) cores.set(scanner.word(), this.#readTicks());
    } while (scanner.nextLine());
    return cores;
  }

  #readTicks(): Ticks {
    return MODES.map(() => this.#scanner.number());
  }
}

/**
 * Share of each mode between two readings; null without a reading before, without progress, or when a counter was reset.
 * Idle, iowait and steal do go back a little on some kernels and hypervisors (proc(5) warns of iowait): that counts as 0.
 */
function tickRatios(now: Ticks, before: Ticks): (number | null)[] | null {
  if (now.length === 0 || before.length === 0) return null;
  const deltas: (number | null)[] = [];
  let total = 0;
  for (let mode = 0; mode < MODES.length; mode++) {
    const delta = modeDelta(mode, now[mode] ?? Number.NaN, before[mode] ?? Number.NaN);
    if (Number.isNaN(delta)) return null;
    deltas.push(delta);
    total += delta ?? 0;
  }
  return total > 0 ? deltas.map((delta) => (delta === null ? null : delta / total)) : null;
}

/** Ticks of one mode; null where the kernel has no such column, NaN when the counter was reset. */
function modeDelta(mode: number, now: number, before: number): number | null {
  if (Number.isNaN(now) || Number.isNaN(before)) return null;
  const mayGoBack = mode === IDLE || mode === IOWAIT || mode === STEAL;
  const delta = counterDelta(mayGoBack ? Math.max(now, before) : now, before);
  return delta ?? Number.NaN;
}
