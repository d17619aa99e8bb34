import { presentOrNull, ratePerSecond } from "./counter-rate.ts";
import { ProcFile, type ProcScanner } from "./proc-scanner.ts";

interface TcpValues {
  tcpEstablished: number | null;
  tcpRetransmitsPerSecond: number | null;
  tcpListenOverflowsPerSecond: number | null;
}

/** TCP's state from /proc/net/snmp and /proc/net/netstat: a line of names, then a line of numbers in the same order. */
export class Tcp {
  readonly files: readonly ProcFile[];
  readonly #scanner: ProcScanner;
  readonly #basic: NamedColumns;
  readonly #extended: NamedColumns;
  #retransmitsBefore = Number.NaN;
  #overflowsBefore = Number.NaN;

  constructor(procRoot: string, scanner: ProcScanner) {
    this.#scanner = scanner;
    this.#basic = new NamedColumns(`${procRoot}/net/snmp`, "Tcp:", ["CurrEstab", "RetransSegs"]);
    this.#extended = new NamedColumns(`${procRoot}/net/netstat`, "TcpExt:", ["ListenOverflows"]);
    this.files = [this.#basic.file, this.#extended.file];
  }

  sample(elapsedSec: number): TcpValues {
    const [established = Number.NaN, retransmits = Number.NaN] = this.#basic.read(this.#scanner);
    const [overflows = Number.NaN] = this.#extended.read(this.#scanner);
    const values = {
      tcpEstablished: presentOrNull(established),
      tcpRetransmitsPerSecond: ratePerSecond(retransmits, this.#retransmitsBefore, elapsedSec),
      tcpListenOverflowsPerSecond: ratePerSecond(overflows, this.#overflowsBefore, elapsedSec),
    };
    this.#retransmitsBefore = retransmits;
    this.#overflowsBefore = overflows;
    return values;
  }

  close(): void {
    this.#basic.close();
    this.#extended.close();
  }
}

/** Some columns of one such pair of lines. The kernel decides on their order once: the names are read at first only. */
class NamedColumns {
  readonly file: ProcFile;
  readonly #label: Buffer;
  readonly #names: readonly string[];
  #positions: number[] | null = null;

  constructor(path: string, label: string, names: readonly string[]) {
    this.file = new ProcFile(path);
    this.#label = Buffer.from(label);
    this.#names = names;
  }

  read(scanner: ProcScanner): number[] {
    if (!scanner.read(this.file) || !this.#find(scanner)) return [];
    this.#positions ??= this.#findPositions(scanner);
    if (!scanner.nextLine() || !scanner.take(this.#label)) return [];
    const numbers: number[] = [];
    const last = Math.max(...this.#positions);
    for (let position = 0; position <= last; position++) {
      const wanted = this.#positions.indexOf(position);
      if (wanted < 0) scanner.skip(1);
      else numbers[wanted] = scanner.number();
    }
    return numbers;
  }

  close(): void {
    this.file.close();
  }

  #find(scanner: ProcScanner): boolean {
    do {
      if (scanner.take(this.#label)) return true;
    } while (scanner.nextLine());
    return false;
  }

  #findPositions(scanner: ProcScanner): number[] {
    const header: string[] = [];
    for (let name = scanner.word(); name !== ""; name = scanner.word()) header.push(name);
    return this.#names.map((name) => header.indexOf(name));
  }
}
