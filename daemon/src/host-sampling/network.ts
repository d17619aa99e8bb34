import type { InterfaceState } from "@apm-daemon/protocol";
import { counterDelta } from "./counter-rate.ts";
import { ProcFile, type ProcScanner } from "./proc-scanner.ts";

/** Container hosts have hundreds of virtual interfaces; a snapshot shows the busiest. */
const MAX_SNAPSHOT_INTERFACES = 64;
const HEADER_LINES = 2;

interface InterfaceCounters {
  receiveBytes: number;
  receivePackets: number;
  transmitBytes: number;
  transmitPackets: number;
  errors: number;
  drops: number;
}

interface NetworkValues {
  netReceiveBytesPerSecond: number | null;
  netTransmitBytesPerSecond: number | null;
  netReceivePacketsPerSecond: number | null;
  netTransmitPacketsPerSecond: number | null;
  netErrorsPerSecond: number | null;
  netDropsPerSecond: number | null;
}

type Readings = ReadonlyMap<string, InterfaceCounters>;

const NOTHING: NetworkValues = {
  netReceiveBytesPerSecond: null,
  netTransmitBytesPerSecond: null,
  netReceivePacketsPerSecond: null,
  netTransmitPacketsPerSecond: null,
  netErrorsPerSecond: null,
  netDropsPerSecond: null,
};

/** Traffic of all interfaces but loopback from /proc/net/dev. One that came or was reset is left out of that reading. */
export class Network {
  readonly files: readonly ProcFile[];
  readonly #file: ProcFile;
  readonly #scanner: ProcScanner;
  #latest: Readings = new Map();
  #atSnapshot: Readings = new Map();

  constructor(procRoot: string, scanner: ProcScanner) {
    this.#file = new ProcFile(`${procRoot}/net/dev`);
    this.files = [this.#file];
    this.#scanner = scanner;
  }

  sample(elapsedSec: number): NetworkValues {
    const before = this.#latest;
    this.#latest = this.#read();
    const grown = [...growth(this.#latest, before).values()];
    if (grown.length === 0 || !(elapsedSec > 0)) return NOTHING;
    const rate = (field: keyof InterfaceCounters): number =>
      grown.reduce((total, counters) => total + counters[field], 0) / elapsedSec;
    return {
      netReceiveBytesPerSecond: rate("receiveBytes"),
      netTransmitBytesPerSecond: rate("transmitBytes"),
      netReceivePacketsPerSecond: rate("receivePackets"),
      netTransmitPacketsPerSecond: rate("transmitPackets"),
      netErrorsPerSecond: rate("errors"),
      netDropsPerSecond: rate("drops"),
    };
  }

  /** Averages of each interface since the last call, busiest first; `elapsedSec` is the time between. */
  snapshot(elapsedSec: number): InterfaceState[] {
    const grown = growth(this.#latest, this.#atSnapshot);
    this.#atSnapshot = this.#latest;
    if (!(elapsedSec > 0)) return [];
    return [...grown]
      .map(([name, counters]) => interfaceState(name, counters, elapsedSec))
      .sort((a, b) => bytesPerSecond(b) - bytesPerSecond(a))
      .slice(0, MAX_SNAPSHOT_INTERFACES);
  }

  close(): void {
    this.#file.close();
  }

  #read(): Readings {
    const readings = new Map<string, InterfaceCounters>();
    const scanner = this.#scanner;
    if (!scanner.read(this.#file)) return readings;
    for (let line = 0; line < HEADER_LINES; line++) {
      if (!scanner.nextLine()) return readings;
    }
    do {
      const name = scanner.word();
      // Loopback is read as well: where there is nothing else it shows that the file can be understood.
      const counters = readCounters(scanner);
      if (name !== "" && name !== "lo") readings.set(name, counters);
    } while (scanner.nextLine());
    return readings;
  }
}

function readCounters(scanner: ProcScanner): InterfaceCounters {
  const receiveBytes = scanner.number();
  const receivePackets = scanner.number();
  const receiveErrors = scanner.number();
  const receiveDrops = scanner.number();
  scanner.skip(4);
  const transmitBytes = scanner.number();
  const transmitPackets = scanner.number();
  const errors = receiveErrors + scanner.number();
  const drops = receiveDrops + scanner.number();
  return { receiveBytes, receivePackets, transmitBytes, transmitPackets, errors, drops };
}

function growth(now: Readings, before: Readings): Map<string, InterfaceCounters> {
  const grown = new Map<string, InterfaceCounters>();
  for (const [name, counters] of now) {
    const countersBefore = before.get(name);
    const delta = countersBefore === undefined ? null : interfaceGrowth(counters, countersBefore);
    if (delta !== null) grown.set(name, delta);
  }
  return grown;
}

function interfaceGrowth(now: InterfaceCounters, before: InterfaceCounters): InterfaceCounters | null {
  const receiveBytes = counterDelta(now.receiveBytes, before.receiveBytes);
  const receivePackets = counterDelta(now.receivePackets, before.receivePackets);
  const transmitBytes = counterDelta(now.transmitBytes, before.transmitBytes);
  const transmitPackets = counterDelta(now.transmitPackets, before.transmitPackets);
  const errors = counterDelta(now.errors, before.errors);
  const drops = counterDelta(now.drops, before.drops);
  if (receiveBytes === null || receivePackets === null || transmitBytes === null) return null;
  if (transmitPackets === null || errors === null || drops === null) return null;
  return { receiveBytes, receivePackets, transmitBytes, transmitPackets, errors, drops };
}

function interfaceState(name: string, counters: InterfaceCounters, elapsedSec: number): InterfaceState {
  return {
    name,
    receiveBytesPerSecond: counters.receiveBytes / elapsedSec,
    transmitBytesPerSecond: counters.transmitBytes / elapsedSec,
    errorsPerSecond: counters.errors / elapsedSec,
    dropsPerSecond: counters.drops / elapsedSec,
  };
}

function bytesPerSecond(state: InterfaceState): number {
  return state.receiveBytesPerSecond + state.transmitBytesPerSecond;
}
