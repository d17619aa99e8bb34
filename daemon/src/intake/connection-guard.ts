/**
 * What one connection may take: time for its HELLO and for each message, memory for what has not come whole, and its user's
 * share of the reading. It refuses a connection that takes more; the time in which the daemon itself does not read does
 * not count.
 */
import type { Socket } from "node:net";
import type { Refuse } from "@apm-daemon/protocol";
import type { IntakeQuotas } from "./intake-quotas.ts";
import type { PeerAccount } from "./peer-account.ts";
import { startReading, stopReading } from "./reading.ts";
import type { Valve } from "./reading-budget.ts";
import type { RefusalReason } from "./refusal-counts.ts";

export interface Refusal extends Refuse {
  reason: RefusalReason;
}

const HELLO_WITHIN_MS = 2_000;
const MESSAGE_WITHIN_MS = 5_000;
/** Whoever was only held up, like a process that was stopped, may come back at once. */
const HELD_UP_RETRY_MS = 1_000;

export const WHAT_MAY_CONNECT =
  "only agents of apm-daemon may write to this socket: use one of the daemon's release, see protocol/README.md";

export class ConnectionGuard implements Valve {
  readonly account: PeerAccount;
  readonly #quotas: IntakeQuotas;
  readonly #socket: Socket;
  readonly #refuse: (refusal: Refusal) => void;
  #isGreeted = false;
  #deadlineMonoMs: number;
  #closedMonoMs = 0;
  #isOverShare = false;
  #isHeld = false;
  #isLate = false;
  unfinishedBytes = 0;

  constructor(
    quotas: IntakeQuotas,
    account: PeerAccount,
    socket: Socket,
    refuse: (refusal: Refusal) => void,
    nowMonoMs: number,
  ) {
    this.#quotas = quotas;
    this.account = account;
    this.#socket = socket;
    this.#refuse = refuse;
    this.#deadlineMonoMs = nowMonoMs + HELLO_WITHIN_MS;
  }

  /** HELLO has come: from now on a connection may be silent, but not in the middle of a message. */
  greeted(): void {
    this.#isGreeted = true;
    this.#deadlineMonoMs = Number.POSITIVE_INFINITY;
  }

  /** Call after each read, with the messages that it completed and the bytes left of an unfinished one. */
  noteRead(bytes: number, messages: number, unfinishedBytes: number): void {
    const now = this.#quotas.monoMs();
    if (this.#isGreeted) {
      if (unfinishedBytes === 0) this.#deadlineMonoMs = Number.POSITIVE_INFINITY;
      else if (messages > 0 || this.#deadlineMonoMs === Number.POSITIVE_INFINITY)
        this.#deadlineMonoMs = now + MESSAGE_WITHIN_MS;
    }
    this.#quotas.noteRead(this, bytes, messages, unfinishedBytes, now);
  }

  /**
   * Refuses a connection whose time is over. Only at the second look in a row: when it is the daemon that is late, the bytes
   * wait in the kernel at the first one, and are read before the second.
   */
  check(nowMonoMs: number): void {
    const isLate = !this.#isOverShare && !this.#isHeld && nowMonoMs >= this.#deadlineMonoMs;
    const wasLate = this.#isLate;
    this.#isLate = isLate;
    if (!isLate || !wasLate) return;
    if (!this.#isGreeted)
      this.refuse({
        reason: "hello_late",
        code: "HELLO_MALFORMED",
        message: `no HELLO arrived within 2 s of connecting; ${WHAT_MAY_CONNECT}`,
        retryAfterMs: HELD_UP_RETRY_MS,
      });
    else
      this.refuse({
        reason: "message_late",
        code: "FRAME_INCOMPLETE",
        message:
          "a message was begun and not finished within 5 s: send each at once; what was acknowledged is kept, send the rest again",
        retryAfterMs: HELD_UP_RETRY_MS,
      });
  }

  refuse(refusal: Refusal): void {
    this.#refuse(refusal);
  }

  /** The connection is refused or has ended: nothing holds up its reading any more, and nothing is waited for. */
  end(): void {
    this.#deadlineMonoMs = Number.POSITIVE_INFINITY;
    this.#quotas.forget(this);
    this.#read(false, false);
  }

  /** Its user has had its share. */
  close(): void {
    this.#read(true, this.#isHeld);
  }

  open(): void {
    this.#read(false, this.#isHeld);
  }

  /** What it sent waits for the journal. */
  hold(): void {
    this.#read(this.#isOverShare, true);
  }

  release(): void {
    this.#read(this.#isOverShare, false);
  }

  #read(isOverShare: boolean, isHeld: boolean): void {
    const wasClosed = this.#isOverShare || this.#isHeld;
    this.#isOverShare = isOverShare;
    this.#isHeld = isHeld;
    const isClosed = isOverShare || isHeld;
    if (isClosed === wasClosed) return;
    if (isClosed) {
      this.#closedMonoMs = this.#quotas.monoMs();
      stopReading(this.#socket);
      return;
    }
    this.#deadlineMonoMs += this.#quotas.monoMs() - this.#closedMonoMs;
    startReading(this.#socket);
  }
}
