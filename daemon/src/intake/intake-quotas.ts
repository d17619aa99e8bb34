/**
 * Keeps one user of the host from starving the others: connections, speed, share of the journal's ring, memory.
 *
 * Speed is bound by reading slower, never by dropping. Two bounds hold: the configured one, always; and while others are active
 * too, a share of what the ring can take. The ring must hold a frame until its batch is sealed and its traces are fetched,
 * so all users together may fill it once in `ringSeconds`; of that speed one user has `journalShare` at most, and when all want
 * more than there is, each gets the same (fair-level.ts). A user who is alone can only harm itself, and is not held to it.
 */
import type { Socket } from "node:net";
import { ConnectionGuard, type Refusal } from "./connection-guard.ts";
import { fairLevel } from "./fair-level.ts";
import { PeerAccount } from "./peer-account.ts";
import type { PeerCredentials } from "./peer-credentials.ts";
import { RefusalCounts, type RefusalReason } from "./refusal-counts.ts";

export interface IntakeLimits {
  connectionsPerUid: number;
  bytesPerSecondPerUid: number;
  /** 0 to 1. */
  journalShare: number;
  ringBytes: number;
  sealIntervalMs: number;
}

/** One user, or all connections whose user is not proven. */
export interface UserUsage {
  uid: number | null;
  connections: number;
  bytes: number;
  bytesPerSecond: number;
  isThrottled: boolean;
  throttledMs: number;
  refused: number;
}

/** All unfinished messages together; beyond it the largest of the user who has most is refused. */
export const MAX_UNFINISHED_BYTES = 33_554_432;
/** What a connect and a message cost beside their bytes: in time, and in the journal's record. */
const CONNECT_COST_BYTES = 2_048;
const MESSAGE_COST_BYTES = 64;
const REFILL_EVERY_MS = 50;
const REBALANCE_EVERY_MS = 1_000;
/** A ring that turns over in this time has what a seal, the next one and a slow disk need. */
const MIN_RING_SECONDS = 30;
const RING_SEALS = 3;
const FORGET_AFTER_MS = 600_000;

export class IntakeQuotas {
  readonly monoMs: () => number;
  readonly refusals: RefusalCounts = new RefusalCounts();
  readonly #limits: IntakeLimits;
  readonly #ringSeconds: number;
  readonly #byUid = new Map<number, PeerAccount>();
  readonly #unproven = new Set<PeerAccount>();
  #unfinishedBytes = 0;
  #rebalancedMonoMs: number;
  #refillTimer: NodeJS.Timeout | null = null;
  #isReleased = false;
  /** Of connections that are gone and whose user was not proven. */
  #unprovenBefore = { bytes: 0, throttledMs: 0, refused: 0 };

  constructor(limits: IntakeLimits, monoMs: () => number) {
    this.#limits = limits;
    this.monoMs = monoMs;
    this.#ringSeconds = Math.max(MIN_RING_SECONDS, (RING_SEALS * limits.sealIntervalMs) / 1_000);
    this.#rebalancedMonoMs = monoMs();
  }

  get connectionsPerUid(): number {
    return this.#limits.connectionsPerUid;
  }

  /** The account that a new connection belongs to. */
  accountOf(peer: PeerCredentials | null): PeerAccount {
    const known = peer === null ? undefined : this.#byUid.get(peer.uid);
    if (known !== undefined) return known;
    const account = new PeerAccount(peer?.uid ?? null, this.#firstBytesPerSecond(), this.monoMs(), () =>
      this.#startRefilling(),
    );
    if (peer === null) this.#unproven.add(account);
    else this.#byUid.set(peer.uid, account);
    return account;
  }

  /** Whether one more connection of this user may be taken. */
  hasRoom(peer: PeerCredentials | null): boolean {
    const account = peer === null ? undefined : this.#byUid.get(peer.uid);
    return (account?.guards.size ?? 0) < this.#limits.connectionsPerUid;
  }

  /** Begins to guard a connection. */
  enter(account: PeerAccount, socket: Socket, refuse: (refusal: Refusal) => void): ConnectionGuard {
    const now = this.monoMs();
    const guard = new ConnectionGuard(this, account, socket, refuse, now);
    account.seenMonoMs = now;
    account.guards.add(guard);
    account.budget.add(guard);
    if (!this.#isReleased) account.budget.spend(guard, CONNECT_COST_BYTES, now);
    return guard;
  }

  noteRead(
    guard: ConnectionGuard,
    bytes: number,
    messages: number,
    unfinishedBytes: number,
    nowMonoMs: number,
  ): void {
    const { account } = guard;
    account.bytes += bytes;
    account.seenMonoMs = nowMonoMs;
    account.activeMonoMs = nowMonoMs;
    this.#noteUnfinished(guard, unfinishedBytes);
    if (!this.#isReleased) account.budget.spend(guard, bytes + messages * MESSAGE_COST_BYTES, nowMonoMs);
    while (this.#unfinishedBytes > MAX_UNFINISHED_BYTES) this.#refuseHeaviest();
  }

  countRefusal(account: PeerAccount, reason: RefusalReason): void {
    account.refused++;
    this.refusals.add(reason);
  }

  /** Counts a connection that was not let in. */
  countTurnedAway(peer: PeerCredentials | null, reason: RefusalReason): void {
    if (peer !== null) {
      const account = this.accountOf(peer);
      account.seenMonoMs = this.monoMs();
      account.refused++;
    } else this.#unprovenBefore.refused++;
    this.refusals.add(reason);
  }

  forget(guard: ConnectionGuard): void {
    const { account } = guard;
    this.#noteUnfinished(guard, 0);
    account.guards.delete(guard);
    account.budget.remove(guard);
    if (account.uid !== null || !this.#unproven.delete(account)) return;
    this.#unprovenBefore.bytes += account.bytes;
    this.#unprovenBefore.throttledMs += account.budget.throttledMs;
    this.#unprovenBefore.refused += account.refused;
  }

  /** Looks for connections whose time is over, and measures who takes how much. Call it about twice a second. */
  tick(): void {
    const now = this.monoMs();
    for (const account of this.#accounts()) for (const guard of account.guards) guard.check(now);
    if (now - this.#rebalancedMonoMs >= REBALANCE_EVERY_MS) this.#rebalance(now);
  }

  /** For the daemon's stop: everybody is read at once, so that what apps wrote before is taken in. */
  release(): void {
    this.#isReleased = true;
    if (this.#refillTimer !== null) clearInterval(this.#refillTimer);
    this.#refillTimer = null;
    for (const account of this.#accounts()) for (const guard of account.guards) guard.open();
  }

  /** Users by their speed, the fastest first. */
  users(): UserUsage[] {
    const users = [...this.#byUid.values()].map(usageOf);
    const unproven = [...this.#unproven].map(usageOf);
    const { bytes, throttledMs, refused } = this.#unprovenBefore;
    if (unproven.length > 0 || bytes > 0 || refused > 0)
      users.push(
        unproven.reduce(addUsage, {
          uid: null,
          connections: 0,
          bytes,
          bytesPerSecond: 0,
          isThrottled: false,
          throttledMs,
          refused,
        }),
      );
    return users.sort((a, b) => b.bytesPerSecond - a.bytesPerSecond || b.connections - a.connections);
  }

  get #ringBytesPerSecond(): number {
    return this.#limits.ringBytes / this.#ringSeconds;
  }

  /** Until a newcomer has been measured. */
  #firstBytesPerSecond(): number {
    const { bytesPerSecondPerUid, journalShare } = this.#limits;
    const isAlone = this.#byUid.size === 0 && this.#unproven.size === 0;
    return isAlone
      ? bytesPerSecondPerUid
      : Math.min(bytesPerSecondPerUid, journalShare * this.#ringBytesPerSecond);
  }

  *#accounts(): IterableIterator<PeerAccount> {
    yield* this.#byUid.values();
    yield* this.#unproven;
  }

  #noteUnfinished(guard: ConnectionGuard, bytes: number): void {
    const more = bytes - guard.unfinishedBytes;
    guard.unfinishedBytes = bytes;
    guard.account.unfinishedBytes += more;
    this.#unfinishedBytes += more;
  }

  #refuseHeaviest(): void {
    let heaviest: PeerAccount | null = null;
    for (const account of this.#accounts())
      if (heaviest === null || account.unfinishedBytes > heaviest.unfinishedBytes) heaviest = account;
    heaviest?.heaviest()?.refuse({
      reason: "unfinished_bytes",
      code: "FRAME_INCOMPLETE",
      message: `unfinished messages of this user fill the ${MAX_UNFINISHED_BYTES / 1_048_576} MiB that the daemon has for them, this one is the largest: finish a message before the next is begun`,
      retryAfterMs: 1_000,
    });
  }

  #rebalance(now: number): void {
    const seconds = (now - this.#rebalancedMonoMs) / 1_000;
    this.#rebalancedMonoMs = now;
    const { bytesPerSecondPerUid, journalShare } = this.#limits;
    const active: PeerAccount[] = [];
    for (const account of this.#accounts()) {
      account.measure(seconds);
      if (now - account.activeMonoMs < this.#ringSeconds * 1_000) active.push(account);
      if (account.guards.size === 0 && account.uid !== null && now - account.seenMonoMs > FORGET_AFTER_MS)
        this.#byUid.delete(account.uid);
    }
    const ringSpeed = this.#ringBytesPerSecond;
    const level = fairLevel(
      ringSpeed,
      active.map(({ demandBytesPerSecond }) => demandBytesPerSecond),
    );
    const shared = Math.min(bytesPerSecondPerUid, journalShare * ringSpeed, level);
    for (const account of this.#accounts()) {
      const isAlone = active.length === 0 || (active.length === 1 && active[0] === account);
      account.budget.setRate(isAlone ? bytesPerSecondPerUid : shared, now);
    }
  }

  #startRefilling(): void {
    this.#refillTimer ??= setInterval(() => this.#refill(), REFILL_EVERY_MS);
  }

  #refill(): void {
    const now = this.monoMs();
    let isAnyThrottled = false;
    for (const { budget } of this.#accounts()) {
      if (!budget.isThrottled) continue;
      budget.refill(now);
      isAnyThrottled ||= budget.isThrottled;
    }
    if (isAnyThrottled || this.#refillTimer === null) return;
    clearInterval(this.#refillTimer);
    this.#refillTimer = null;
  }
}

function usageOf(account: PeerAccount): UserUsage {
  return {
    uid: account.uid,
    connections: account.guards.size,
    bytes: account.bytes,
    bytesPerSecond: account.bytesPerSecond,
    isThrottled: account.budget.isThrottled,
    throttledMs: account.budget.throttledMs,
    refused: account.refused,
  };
}

function addUsage(sum: UserUsage, one: UserUsage): UserUsage {
  return {
    uid: null,
    connections: sum.connections + one.connections,
    bytes: sum.bytes + one.bytes,
    bytesPerSecond: sum.bytesPerSecond + one.bytesPerSecond,
    isThrottled: sum.isThrottled || one.isThrottled,
    throttledMs: sum.throttledMs + one.throttledMs,
    refused: sum.refused + one.refused,
  };
}
