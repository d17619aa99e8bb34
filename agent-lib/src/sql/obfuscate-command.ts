import { type ObfuscatedStatement, UNREADABLE_STATEMENT } from "./obfuscate.ts";

/** A command of a key-value store without its keys and values, for their languages quote nothing: "GET user:7" becomes "GET ?". */
export function obfuscateCommand(command: string): ObfuscatedStatement {
  const [, name, rest] = /^\s*([a-z][\w.-]{0,39})(?=\s|$)(\s+\S)?/i.exec(command) ?? [];
  if (name === undefined) return UNREADABLE_STATEMENT;
  const operation = name.toUpperCase();
  return { text: rest === undefined ? operation : `${operation} ?`, operation, table: "" };
}

/**
 * Whether a text of an unknown language can be read as SQL is: its values are quoted or begin with a digit. True for SQL, its
 * relatives and JSON; not for what key-value stores and search engines are told.
 */
export function isQuotingLanguage(text: string): boolean {
  return QUOTING.test(text);
}

const QUOTING = new RegExp(
  `^(?:\\s|--[^\\n]*\\n|/\\*[^*]*\\*/|\\()*(?:[{[]|(?:${[
    "SELECT|INSERT|UPDATE|UPSERT|MERGE|WITH|VALUES|TABLE|EXPLAIN|ANALYZE|CREATE|ALTER|DROP|TRUNCATE|COMMENT|RENAME",
    "BEGIN|START|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|CALL|DECLARE|FETCH|PREPARE|DEALLOCATE|SHOW|USE|DESCRIBE|PRAGMA",
    "GRANT|REVOKE|LISTEN|NOTIFY|VACUUM|MATCH|OPTIONAL|UNWIND|RETURN|FROM|DELETE\\s+FROM|REPLACE\\s+INTO",
    "SET\\s+(?:SESSION\\s+|LOCAL\\s+|GLOBAL\\s+)?[\\w.@]+\\s*(?:=|TO\\b)",
  ].join("|")})(?![\\w.]))`,
  "i",
);
