/**
 * Who is logged in. A session is a random token of 256 bits that only its browser has; kept are the token's hash and two times, in
 * `<stateDir>/sessions.json` (mode 0600), so that a restart of the collector logs nobody out.
 *
 * A session ends by log-out, a day without a call, a week after its log-in, when newer ones need its place, or when the password changes.
 */
import { createHash, randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import * as z from "zod";
import { replacePrivateFile } from "../private-file.ts";

const SessionsFileSchema = z.object({
  version: z.literal(1),
  /** Of the password that these sessions were opened with. */
  passwordMark: z.string(),
  sessions: z.array(
    z.object({
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
      createdUnixMs: z.number(),
      usedUnixMs: z.number(),
    }),
  ),
});
type Session = z.output<typeof SessionsFileSchema>["sessions"][number];

const MAX_SESSIONS = 100;
const DAY_MS = 86_400_000;
const MAX_IDLE_MS = DAY_MS;
export const MAX_SESSION_MS: number = 7 * DAY_MS;
/** A session's last use is written so often at most: nobody is logged out for ten minutes more or less. */
const WRITE_USE_EVERY_MS = 600_000;

export interface SessionStoreOptions {
  stateDir: string;
  clock: () => number;
  /** The sessions could not be written; they hold until the collector ends. */
  onNotKept: (error: Error) => void;
}

export class SessionStore {
  readonly #options: SessionStoreOptions;
  readonly #file: string;
  /** By the token's hash, the least recently used first. */
  readonly #sessions: Map<string, Session> = new Map();
  #passwordMark = "";
  #writtenMs = Number.NEGATIVE_INFINITY;

  constructor(options: SessionStoreOptions) {
    this.#options = options;
    this.#file = path.join(options.stateDir, "sessions.json");
    this.#read();
  }

  /** A new session's token. */
  open(passwordMark: string): string {
    this.#follow(passwordMark);
    const token = randomBytes(32).toString("base64url");
    const nowMs = this.#options.clock();
    for (const [hash, session] of this.#sessions) if (isOver(session, nowMs)) this.#sessions.delete(hash);
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size >= MAX_SESSIONS && oldest !== undefined) this.#sessions.delete(oldest);
    const sha256 = hashOf(token);
    this.#sessions.set(sha256, { sha256, createdUnixMs: nowMs, usedUnixMs: nowMs });
    this.#write();
    return token;
  }

  /** Whether this is the token of a session that has not ended; notes its use. */
  accepts(token: string, passwordMark: string): boolean {
    const session = this.#live(token, passwordMark);
    if (session === null) return false;
    const nowMs = this.#options.clock();
    this.#sessions.delete(session.sha256);
    this.#sessions.set(session.sha256, { ...session, usedUnixMs: nowMs });
    if (nowMs - this.#writtenMs >= WRITE_USE_EVERY_MS) this.#write();
    return true;
  }

  /** The same without being a use of it: for who only looks whether it has ended. */
  holds(token: string, passwordMark: string): boolean {
    return this.#live(token, passwordMark) !== null;
  }

  close(token: string): void {
    if (this.#sessions.delete(hashOf(token))) this.#write();
  }

  #live(token: string, passwordMark: string): Session | null {
    this.#follow(passwordMark);
    const session = this.#sessions.get(hashOf(token));
    return session === undefined || isOver(session, this.#options.clock()) ? null : session;
  }

  /** Sessions of another password are none. */
  #follow(passwordMark: string): void {
    if (passwordMark === this.#passwordMark) return;
    this.#sessions.clear();
    this.#passwordMark = passwordMark;
  }

  #read(): void {
    try {
      const file = SessionsFileSchema.parse(JSON.parse(fs.readFileSync(this.#file, "utf8")));
      this.#passwordMark = file.passwordMark;
      for (const session of file.sessions.slice(-MAX_SESSIONS)) this.#sessions.set(session.sha256, session);
    } catch {
      // None there, or none that can be read: everybody logs in again.
    }
  }

  #write(): void {
    this.#writtenMs = this.#options.clock();
    const file: z.output<typeof SessionsFileSchema> = {
      version: 1,
      passwordMark: this.#passwordMark,
      sessions: [...this.#sessions.values()],
    };
    try {
      replacePrivateFile(this.#file, `${JSON.stringify(file)}\n`);
    } catch (error) {
      this.#options.onNotKept(error as Error);
    }
  }
}

function isOver({ createdUnixMs, usedUnixMs }: Session, nowMs: number): boolean {
  return nowMs - createdUnixMs > MAX_SESSION_MS || nowMs - usedUnixMs > MAX_IDLE_MS;
}

function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
