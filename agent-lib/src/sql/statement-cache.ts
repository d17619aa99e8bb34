import { type AgentSettings, MAX_STATEMENT_CHARS } from "@apm-daemon/protocol";
import { truncate } from "../tracer/truncate.ts";
import {
  type ObfuscatedStatement,
  obfuscateSql,
  type SqlDialect,
  UNREADABLE_STATEMENT,
} from "./obfuscate.ts";
import { isQuotingLanguage, obfuscateCommand } from "./obfuscate-command.ts";

/** Statements of one generation; two are kept. */
const MAX_STATEMENTS = 500;
/** Longer ones carry their values inline and do not come twice. */
const MAX_CACHED_CHARS = 16_384;

/** How a statement is read: a dialect of SQL, or a command of a key-value store. */
type Language = SqlDialect | "command";

export type SqlMode = AgentSettings["sql"];

/**
 * What to record of statements, remembered so that a repeated one costs one Map lookup. Two generations approximate
 * "least recently used" without moving entries on each hit.
 */
export class StatementCache {
  readonly #language: Language;
  #mode: SqlMode = "obfuscated";
  #young = new Map<string, ObfuscatedStatement>();
  #old = new Map<string, ObfuscatedStatement>();

  constructor(language: Language) {
    this.#language = language;
  }

  get mode(): SqlMode {
    return this.#mode;
  }

  set mode(mode: SqlMode) {
    if (mode === this.#mode) return;
    this.#mode = mode;
    this.#young = new Map();
    this.#old = new Map();
  }

  /** `text` is "" in mode "off" and at most MAX_STATEMENT_CHARS long. Never throws. */
  of(sql: string): ObfuscatedStatement {
    const known = this.#young.get(sql);
    if (known !== undefined) return known;
    const statement = this.#old.get(sql) ?? this.#read(sql);
    if (sql.length <= MAX_CACHED_CHARS) {
      if (this.#young.size >= MAX_STATEMENTS) {
        this.#old = this.#young;
        this.#young = new Map();
      }
      this.#young.set(sql, statement);
    }
    return statement;
  }

  #read(sql: string): ObfuscatedStatement {
    let read = UNREADABLE_STATEMENT;
    try {
      read = this.#obfuscate(sql);
    } catch {
      // Fails closed: the text stays hidden.
    }
    const text = this.#mode === "off" ? "" : this.#mode === "raw" ? sql : read.text;
    return { text: truncate(text, MAX_STATEMENT_CHARS), operation: read.operation, table: read.table };
  }

  #obfuscate(text: string): ObfuscatedStatement {
    if (this.#language === "command") return obfuscateCommand(text);
    if (this.#language === "unknown" && !isQuotingLanguage(text)) return UNREADABLE_STATEMENT;
    return obfuscateSql(text, this.#language);
  }
}
