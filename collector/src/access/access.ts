import type { Logger } from "pino";
import { CollectorError } from "../collector-error.ts";
import type { KeyStore } from "../key-store.ts";
import { LoginLimits } from "./login-limits.ts";
import { isLoopbackHost } from "./loopback.ts";
import type { PasswordStore } from "./password-store.ts";
import type { SessionStore } from "./session-store.ts";

/**
 * What who asks may do: all; read (an API token); ask about what a daemon sent (a license key); nothing before a log-in.
 */
export type Permission = "all" | "read" | "own" | "none";

export interface AccessOptions {
  /** Others than this machine reach the collector: without a password nobody gets in. */
  isPublic: boolean;
  passwords: PasswordStore;
  sessions: SessionStore;
  tokens: KeyStore;
  keys: KeyStore;
  log: Logger;
}

export type LoginOutcome =
  | { is: "logged_in"; token: string }
  | { is: "refused" }
  | { is: "no_password" }
  | { is: "too_many"; waitMs: number };

const LOG_AGAIN_MS = 10_000;

/** Who may use console and API. */
export class Access {
  readonly #options: AccessOptions;
  readonly #limits: LoginLimits = new LoginLimits(() => performance.now());
  #refused = 0;
  #loggedMs = Number.NEGATIVE_INFINITY;

  constructor(options: AccessOptions) {
    this.#options = options;
  }

  /** Whether nobody may do anything without a log-in or a token. Throws PASSWORD_UNREADABLE. */
  get isGuarded(): boolean {
    return this.#options.isPublic || this.#options.passwords.mark !== null;
  }

  /** `bearer` is what came after "Bearer ", `session` the cookie. Throws PASSWORD_UNREADABLE or KEYS_UNREADABLE. */
  permissionOf({ session, bearer }: { session: string; bearer: string }): Permission {
    const { passwords, sessions, tokens, keys } = this.#options;
    if (!this.isGuarded) return "all";
    const { mark } = passwords;
    if (session !== "" && mark !== null && sessions.accepts(session, mark)) return "all";
    if (bearer === "") return "none";
    if (tokens.verify(bearer) !== null) return "read";
    return keys.verify(bearer) === null ? "none" : "own";
  }

  /** Whether the log-in of a browser's open connection has not ended; no use of it. Throws PASSWORD_UNREADABLE. */
  stillHolds(session: string): boolean {
    const { passwords, sessions } = this.#options;
    if (!this.isGuarded) return true;
    const { mark } = passwords;
    return session !== "" && mark !== null && sessions.holds(session, mark);
  }

  /** Opens a session for who knows the password; whatever session the browser had ends. */
  async logIn({
    password,
    address,
    session,
  }: {
    password: string;
    address: string;
    session: string;
  }): Promise<LoginOutcome> {
    const { passwords, sessions } = this.#options;
    if (passwords.mark === null) return { is: "no_password" };
    const waitMs = this.#limits.take(address);
    if (waitMs > 0) {
      this.#complain(address, "log-ins are refused for a while: too many were tried");
      return { is: "too_many", waitMs };
    }
    const isRight = await passwords.verify(password);
    // Asked after the check: a password that was changed meanwhile opens nothing.
    const { mark } = passwords;
    if (!isRight || mark === null) {
      this.#complain(address, "a log-in with a wrong password was refused");
      return { is: "refused" };
    }
    this.#limits.succeeded(address);
    if (session !== "") sessions.close(session);
    this.#options.log.info({ address }, "somebody logged in to the console");
    return { is: "logged_in", token: sessions.open(mark) };
  }

  logOut(session: string): void {
    if (session !== "") this.#options.sessions.close(session);
  }

  #complain(address: string, sentence: string): void {
    this.#refused++;
    const nowMs = performance.now();
    if (nowMs - this.#loggedMs < LOG_AGAIN_MS) return;
    this.#loggedMs = nowMs;
    this.#options.log.warn({ address, refusedSoFar: this.#refused }, sentence);
  }
}

/** Whether others than this machine reach the address; throws PASSWORD_MISSING when they would need no password. */
export async function isPublicAddress(
  listen: string,
  stateDir: string,
  passwords: PasswordStore,
): Promise<boolean> {
  if (await isLoopbackHost(listen)) return false;
  if (passwords.mark === null)
    throw new CollectorError(
      "PASSWORD_MISSING",
      `other machines reach ${listen}, and the console has no password yet: set one with "apm password --state-dir ${stateDir}", or listen on 127.0.0.1`,
    );
  return true;
}
