import { spawn } from "node:child_process";
import type { Logger } from "pino";
import { type NotifySender, openNotifySender } from "./notify-datagram.ts";

/** How the service manager that started this process is told of it; see sd_notify(3). */
export interface ServiceOptions {
  /** Address of its datagram socket, as in NOTIFY_SOCKET. */
  notifySocket: string;
  /** It restarts this process after so long without a sign of life; null when it does not wait for one. */
  watchdogMs: number | null;
  /** Where the program systemd-notify is looked for, as in PATH. */
  searchPath: string;
}

/** That the daemon is ready is said once: a queue that is full at that moment must not cost a start. */
const SEND_AGAIN_TIMES = 25;
const SEND_AGAIN_MS = 200;

export interface ServiceManagerOptions extends ServiceOptions {
  /** Sends from this process; null where that is not possible: then a child does. */
  send: NotifySender | null;
  log: Logger;
}

/**
 * Tells systemd of this process. Where the process cannot itself, a child `systemd-notify` does (8 ms each), and the unit needs
 * NotifyAccess=all. The child waits until systemd has read the message, so it is known whose it was.
 */
export class ServiceManager {
  readonly #options: ServiceManagerOptions;
  #isTelling = false;
  #hasComplained = false;

  constructor(options: ServiceManagerOptions) {
    this.#options = options;
  }

  /** Null where no service manager wants to know. */
  static async open(service: ServiceOptions | null, log: Logger): Promise<ServiceManager | null> {
    if (service === null) return null;
    const send = await openNotifySender(service.notifySocket);
    if (typeof send !== "string") return new ServiceManager({ ...service, send, log });
    log.warn(`systemd is told by a child of how the daemon is, which needs NotifyAccess=all: ${send}`);
    return new ServiceManager({ ...service, send: null, log });
  }

  get watchdogMs(): number | null {
    return this.#options.watchdogMs;
  }

  /** Until READY=1 comes again, `systemctl reload` waits. */
  reloading(): void {
    const monotonicUs = process.hrtime.bigint() / 1_000n;
    this.tellNow([
      "RELOADING=1",
      `MONOTONIC_USEC=${monotonicUs}`,
      "STATUS=goes on with the new configuration",
    ]);
  }

  stopping(): void {
    this.tellNow(["STOPPING=1"]);
  }

  /** Sends one message of such lines; passes it over while the one before is still under way. */
  tell(lines: readonly string[]): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    this.tellNow(lines, () => {
      this.#isTelling = false;
    });
  }

  /** Sends one message at once, whatever is under way. */
  tellNow(lines: readonly string[], onEnd: () => void = () => {}): void {
    const texts = lines.map(oneLine);
    if (this.#options.send === null) return this.#tellByChild(texts, onEnd);
    this.#tellBySending(this.#options.send, texts.join("\n"), SEND_AGAIN_TIMES);
    onEnd();
  }

  #tellBySending(send: NotifySender, message: string, timesLeft: number): void {
    const problem = send(message);
    if (problem === "") return;
    if (timesLeft === 0) return this.#complain(problem);
    setTimeout(() => this.#tellBySending(send, message, timesLeft - 1), SEND_AGAIN_MS).unref();
  }

  #tellByChild(texts: readonly string[], onEnd: () => void): void {
    const { notifySocket, searchPath } = this.#options;
    const child = spawn("systemd-notify", texts, {
      stdio: "ignore",
      env: { NOTIFY_SOCKET: notifySocket, PATH: searchPath },
    });
    child.on("error", (error) => {
      this.#complain(error.message);
      onEnd();
    });
    child.on("exit", (code) => {
      if (code !== 0) this.#complain(`systemd-notify ended with ${code}`);
      onEnd();
    });
    child.unref();
  }

  #complain(reason: string): void {
    if (this.#hasComplained) return;
    this.#hasComplained = true;
    this.#options.log.error(
      { reason },
      "systemd cannot be told that the daemon is well and may restart it: install koffi, or systemd-notify with NotifyAccess=all, or set Type=simple and no WatchdogSec",
    );
  }
}

/** A line break would begin a message of its own: texts from a collector or an app may hold one. */
function oneLine(line: string): string {
  return line.replace(/\p{Cc}+/gu, " ");
}
