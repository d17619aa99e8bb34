/**
 * What is recorded of a command to Redis or memcached. Its first word is its name and tells nothing; all that follows
 * may: a key often holds a customer's number. So keys and values are recorded in mode "raw" only, shortened.
 */
import type { ObfuscatedStatement } from "./obfuscate.ts";
import type { SqlMode } from "./statement-cache.ts";

const MAX_NAMES = 500;
const MAX_ARGUMENTS = 16;
const MAX_ARGUMENT_CHARS = 64;
const NAME = /^[A-Za-z][\w.-]{0,39}$/;
/** Commands whose arguments are credentials, whatever the mode; CONFIG sets passwords, too. */
const SECRET = /^(?:AUTH|HELLO|ACL|CONFIG|MIGRATE)$/;

const NAMELESS: ObfuscatedStatement = { text: "", operation: "", table: "" };

export class CommandStatements {
  mode: SqlMode = "obfuscated";
  /** By name as it was given: one object for all calls of a command. */
  readonly #named = new Map<string, ObfuscatedStatement>();

  /** Its arguments are those of `args` from index `first` on. Never throws. */
  of(name: unknown, args: ArrayLike<unknown>, first: number = 0): ObfuscatedStatement {
    const named = this.#name(name);
    if (this.mode !== "raw" || named === NAMELESS) return named;
    return { ...named, text: rawText(named.operation, args, first) };
  }

  #name(name: unknown): ObfuscatedStatement {
    if (typeof name !== "string") return NAMELESS;
    const known = this.#named.get(name);
    if (known !== undefined) return known;
    if (!NAME.test(name)) return NAMELESS;
    const statement: ObfuscatedStatement = { text: "", operation: name.toUpperCase(), table: "" };
    if (this.#named.size < MAX_NAMES) this.#named.set(name, statement);
    return statement;
  }
}

function rawText(operation: string, args: ArrayLike<unknown>, first: number): string {
  if (SECRET.test(operation)) return args.length === first ? operation : `${operation} ?`;
  const end = Math.min(args.length, first + MAX_ARGUMENTS);
  let text = operation;
  for (let i = first; i < end; i++) text += ` ${shorten(args[i])}`;
  return args.length > end ? `${text} …` : text;
}

function shorten(argument: unknown): string {
  if (typeof argument === "number" || typeof argument === "bigint") return String(argument);
  const text = Buffer.isBuffer(argument)
    ? argument.toString("utf8", 0, MAX_ARGUMENT_CHARS + 1)
    : typeof argument === "string"
      ? argument
      : "?";
  return text.length > MAX_ARGUMENT_CHARS ? `${text.slice(0, MAX_ARGUMENT_CHARS - 1)}…` : text;
}
