/** What /proc/PID/stat says of a process, as far as it is of use here. */
export interface ProcessStat {
  /** Where the name stands in the bytes: it is rarely needed. */
  nameFrom: number;
  nameTo: number;
  /** The kernel's letter: "D" waits for a disk, "Z" has ended. */
  state: string;
  ppid: number;
  /** User and system time. */
  cpuTicks: number;
  threads: number;
  /** Since the host's boot: together with the pid it names one process. */
  startTicks: number;
  rssPages: number;
}

/** The kernel reports times in USER_HZ, 100 on every architecture that Node runs on. */
export const TICKS_PER_SECOND = 100;

const OPEN = 40;
const CLOSE = 41;
const SPACE = 32;
const MINUS = 45;
const ZERO = 48;
/** Columns as numbered in proc(5), counted from the state on. */
const PPID = 1;
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;
const THREADS = 17;
const START_TICKS = 19;
const RSS_PAGES = 21;

export function emptyStat(): ProcessStat {
  return {
    nameFrom: 0,
    nameTo: 0,
    state: "",
    ppid: 0,
    cpuTicks: 0,
    threads: 0,
    startTicks: 0,
    rssPages: 0,
  };
}

/**
 * Parses the first `length` bytes into `into`, which allocates nothing: on a busy host this runs thousands of times a second. The
 * name may hold spaces, brackets and numbers, so columns count from its last bracket. False when they are cut or no numbers.
 */
export function parseProcessStat(bytes: Buffer, length: number, into: ProcessStat): boolean {
  const close = bytes.lastIndexOf(CLOSE, length - 1);
  const open = bytes.indexOf(OPEN);
  if (open < 0 || close <= open || close + 3 >= length) return false;
  into.nameFrom = open + 1;
  into.nameTo = close;
  into.state = String.fromCharCode(bytes[close + 2] ?? 0);
  let at = close + 3;
  for (let column = 1; column <= RSS_PAGES; column++) {
    if (bytes[at] !== SPACE || at >= length) return false;
    at++;
    const isNegative = bytes[at] === MINUS;
    if (isNegative) at++;
    const from = at;
    let value = 0;
    for (; at < length; at++) {
      const digit = (bytes[at] ?? 0) - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    if (at === from) return false;
    if (column === PPID) into.ppid = value;
    else if (column === USER_TICKS) into.cpuTicks = value;
    else if (column === SYSTEM_TICKS) into.cpuTicks += value;
    else if (column === THREADS) into.threads = value;
    else if (column === START_TICKS) into.startTicks = value;
    else if (column === RSS_PAGES) into.rssPages = isNegative ? 0 : value;
  }
  // The last number may have been cut.
  return at < length;
}
