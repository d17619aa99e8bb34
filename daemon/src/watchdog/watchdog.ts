/**
 * Tells systemd that the daemon is well, as long as it is: one sign of life each beat, none while a part makes no progress.
 *
 *   ready ──all parts make progress──► a sign of life each third of WatchdogSec
 *     └── one does not: silence and one line in the log; systemd restarts the daemon when WatchdogSec is over
 *
 * Progress, not success: a part that is refused by the system (a full disk, a collector that is away) tries again, counts
 * what it loses and says so in the status; a restart would only lose what it holds in memory. See decision 11.
 */
import type { Logger } from "pino";

/** A part whose standstill only a restart can end. */
export interface WatchedPart {
  readonly name: string;
  /** Why it makes no progress although it should; "" while it does. Must not throw. */
  stall(): string;
}

export interface WatchdogOptions {
  parts: readonly WatchedPart[];
  service: { tell(lines: readonly string[]): void; tellNow(lines: readonly string[]): void };
  watchdogMs: number | null;
  /** What the daemon is doing, in a few words for `systemctl status`. */
  summary: () => string;
  log: Logger;
}

/** systemd itself advises half; a third lets one be late. */
const BEATS_IN_TIME = 3;
/** Without a watchdog the summary alone is told. */
const QUIET_BEAT_MS = 10_000;

export class Watchdog {
  readonly #options: WatchdogOptions;
  #timer: NodeJS.Timeout | null = null;
  #stalls = "";

  constructor(options: WatchdogOptions) {
    this.#options = options;
  }

  /** Says that the daemon is ready, and begins to beat. */
  start(): void {
    const { service, watchdogMs, summary } = this.#options;
    service.tellNow(["READY=1", `STATUS=${summary()}`]);
    const beatMs = watchdogMs === null ? QUIET_BEAT_MS : watchdogMs / BEATS_IN_TIME;
    this.#timer = setInterval(() => this.beat(), beatMs);
  }

  beat(): void {
    const { parts, service, watchdogMs, summary } = this.#options;
    const stalls = parts
      .map((part) => [part.name, part.stall()] as const)
      .filter(([, stall]) => stall !== "");
    this.#note(stalls.map(([name, stall]) => `${name}: ${stall}`).join("; "), watchdogMs !== null);
    if (this.#stalls !== "") service.tell([`STATUS=stalled: ${this.#stalls}`]);
    else service.tell([...(watchdogMs === null ? [] : ["WATCHDOG=1"]), `STATUS=${summary()}`]);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Logs when a standstill begins and when it ends, not each beat of it. */
  #note(stalls: string, hasWatchdog: boolean): void {
    const wasStalled = this.#stalls !== "";
    this.#stalls = stalls;
    if (wasStalled === (stalls !== "")) return;
    const { log } = this.#options;
    if (wasStalled) log.warn("all parts make progress again");
    else if (hasWatchdog)
      log.error({ stalls }, "a part makes no progress; systemd will restart the daemon if that stays");
    else log.error({ stalls }, "a part makes no progress; restart the daemon if that stays");
  }
}
