/**
 * Turns a statement into one that tells nothing about its values: literals become "?", comments vanish, lists of
 * values shrink to one "?", white space to single blanks. Works on the whole text, before any truncation, and fails
 * closed: a text that cannot be read for sure is replaced as a whole.
 *
 * Dialects differ in what a backslash, a double quote and "#" mean. Where the dialect is unknown the reading that
 * hides more wins, and a backslash before a quote, where no reading is safe, fails.
 */
export type SqlDialect = "postgresql" | "mysql" | "unknown";

export interface ObfuscatedStatement {
  readonly text: string;
  /** First keyword in upper case, "" where there is none. */
  readonly operation: string;
  /** The first table that the statement names, "" where none was found. */
  readonly table: string;
}

export const UNREADABLE_STATEMENT: ObfuscatedStatement = {
  text: "(statement not shown: it could not be obfuscated)",
  operation: "",
  table: "",
};

/** Longer statements are read up to here, so that a bulk insert costs the app little. */
const MAX_READ_CHARS = 65_536;

type TokenKind = "word" | "value" | "symbol";

export function obfuscateSql(sql: string, dialect: SqlDialect = "unknown"): ObfuscatedStatement {
  const tokens = new TokenList();
  return new SqlReader(sql.slice(0, MAX_READ_CHARS), dialect, tokens, sql.length > MAX_READ_CHARS).read()
    ? tokens.statement()
    : UNREADABLE_STATEMENT;
}

/** Words after which a table's name stands, and words that may stand between. */
const TABLE_KEYWORD = /^(?:FROM|INTO|UPDATE|TABLE|JOIN)$/i;
const NOT_A_TABLE = /^(?:SELECT|ONLY|IF|NOT|EXISTS|LATERAL|SET|IGNORE|LOW_PRIORITY)$/i;
const LIST_KEYWORD = /^(?:IN|VALUES|VALUE)$/i;
const VALUE_KEYWORD = /^(?:NULL|DEFAULT|TRUE|FALSE)$/i;

interface Token {
  readonly text: string;
  readonly kind: TokenKind;
  /** White space or a comment stood before it. */
  readonly isSpaced: boolean;
}

/** Collects tokens and collapses lists of values as they close. */
class TokenList {
  readonly #tokens: Token[] = [];
  readonly #open: number[] = [];

  add(text: string, kind: TokenKind, isSpaced: boolean): void {
    this.#tokens.push({ text, kind, isSpaced });
    if (text === "(" || text === "[") this.#open.push(this.#tokens.length - 1);
    else if (text === ")" || text === "]") this.#close(this.#open.pop());
  }

  statement(): ObfuscatedStatement {
    let text = "";
    for (const token of this.#tokens) text += token.isSpaced && text !== "" ? ` ${token.text}` : token.text;
    return { text, operation: this.#operation(), table: this.#table() };
  }

  #text(index: number): string {
    return this.#tokens[index]?.text ?? "";
  }

  #operation(): string {
    const first = this.#tokens.find((token) => token.kind === "word")?.text ?? "";
    return /^[a-z]+$/i.test(first) ? first.toUpperCase() : "";
  }

  #table(): string {
    const keyword = this.#tokens.findIndex((token) => TABLE_KEYWORD.test(token.text));
    let at = keyword + 1;
    while (NOT_A_TABLE.test(this.#text(at))) at++;
    if (keyword === -1 || this.#tokens[at]?.kind !== "word") return "";
    let table = unquote(this.#text(at));
    for (; this.#text(at + 1) === "." && this.#tokens[at + 2]?.kind === "word"; at += 2)
      table += `.${unquote(this.#text(at + 2))}`;
    return table;
  }

  /** "IN (?, ?, ?)" becomes "IN (?)", and "VALUES (?), (?)" becomes "VALUES (?)". */
  #close(open: number | undefined): void {
    if (open === undefined || !this.#isListOfValues(open)) return;
    const isNextRow =
      this.#text(open - 1) === "," && this.#text(open - 2) === ")" && this.#text(open - 3) === "?";
    if (isNextRow) this.#tokens.length = open - 1;
    else if (this.#text(open) === "[" || LIST_KEYWORD.test(this.#text(open - 1))) {
      const end = this.#text(open) === "[" ? "]" : ")";
      this.#tokens.length = open + 1;
      this.#tokens.push({ text: "?", kind: "value", isSpaced: false });
      this.#tokens.push({ text: end, kind: "symbol", isSpaced: false });
    }
  }

  #isListOfValues(open: number): boolean {
    const last = this.#tokens.length - 1;
    for (let i = open + 1; i < last; i++) {
      const token = this.#tokens[i] as Token;
      const isValue = token.kind === "value" || VALUE_KEYWORD.test(token.text);
      if ((i - open) % 2 === 1 ? !isValue : token.text !== ",") return false;
    }
    return (last - open) % 2 === 0 && last - open >= 2;
  }
}

function unquote(word: string): string {
  return /^["`]/.test(word) ? word.slice(1, -1) : word;
}

const WHITE_SPACE = /\s/u;
const WORD_START = /[\p{L}_@$]/u;
const WORD_PART = /[\p{L}\p{M}\p{N}_@$]/u;
const NUMERIC = /\p{N}/u;

/** Cuts a statement into tokens; everything that could be a value is handed on as "?". */
class SqlReader {
  readonly #sql: string;
  readonly #dialect: SqlDialect;
  readonly #tokens: TokenList;
  /** The text was cut: a literal may end with it. */
  readonly #isCut: boolean;
  #at = 0;
  #isSpaced = false;

  constructor(sql: string, dialect: SqlDialect, tokens: TokenList, isCut: boolean) {
    this.#sql = sql;
    this.#dialect = dialect;
    this.#tokens = tokens;
    this.#isCut = isCut;
  }

  /** False when the text cannot be read for sure. */
  read(): boolean {
    while (this.#at < this.#sql.length) if (!this.#readToken()) return false;
    return true;
  }

  #readToken(): boolean {
    const char = this.#sql.charAt(this.#at);
    const next = this.#sql.charAt(this.#at + 1);
    if (WHITE_SPACE.test(char)) {
      this.#at++;
      this.#isSpaced = true;
      return true;
    }
    if (this.#mayBeComment(char, next)) return false;
    if (this.#skipComment(char, next)) return true;
    if (char === "'") return this.#readQuoted("'", this.#dialect === "mysql");
    if (char === '"') return this.#readDoubleQuoted();
    if (char === "`") return this.#readIdentifier("`");
    if (char === "$" && this.#dialect !== "mysql") return this.#readDollar();
    if (NUMERIC.test(char) || (char === "." && NUMERIC.test(next))) return this.#readNumber();
    if (WORD_START.test(char)) return this.#readWord();
    this.#emit(char, char === "?" ? "value" : "symbol");
    this.#at++;
    return true;
  }

  #emit(text: string, kind: TokenKind): void {
    this.#tokens.add(text, kind, this.#isSpaced);
    this.#isSpaced = false;
  }

  /**
   * MySQL begins a comment with "--" only before white space, and others know no "#": where the dialect is unknown, and what
   * follows in the line could begin a literal that goes on in the next, there is no safe reading.
   */
  #mayBeComment(char: string, next: string): boolean {
    if (this.#dialect !== "unknown") return false;
    const isUnsure = char === "#" || (char === "-" && next === "-" && !this.#isBlankAt(this.#at + 2));
    return isUnsure && /^[^\r\n]*(?:['"`$]|\/\*)/.test(this.#sql.slice(this.#at + 1));
  }

  #isBlankAt(at: number): boolean {
    return at >= this.#sql.length || WHITE_SPACE.test(this.#sql.charAt(at));
  }

  #skipComment(char: string, next: string): boolean {
    const isDashes =
      char === "-" && next === "-" && (this.#dialect !== "mysql" || this.#isBlankAt(this.#at + 2));
    const isLine = isDashes || (char === "#" && this.#dialect !== "postgresql");
    if (isLine) {
      const rest = this.#sql.slice(this.#at).search(/[\r\n]/);
      this.#at = rest === -1 ? this.#sql.length : this.#at + rest;
    } else if (char === "/" && next === "*") this.#skipBlockComment();
    else return false;
    this.#isSpaced = true;
    return true;
  }

  /** Comments nest in PostgreSQL; reading them so elsewhere hides more. */
  #skipBlockComment(): void {
    let depth = 0;
    while (this.#at < this.#sql.length) {
      const pair = this.#sql.slice(this.#at, this.#at + 2);
      if (pair === "/*") depth++;
      else if (pair === "*/") depth--;
      this.#at += pair === "/*" || pair === "*/" ? 2 : 1;
      if (depth === 0) return;
    }
  }

  #readQuoted(quote: string, hasEscapes: boolean): boolean {
    // Three quotes begin a text that quotes do not end, in some dialects; four are a text of one quote in all others.
    if (this.#dialect === "unknown" && this.#sql.startsWith(quote.repeat(3), this.#at)) return false;
    const end = this.#endOfQuoted(quote, hasEscapes);
    if (end === -1) return false;
    this.#at = end;
    this.#emit("?", "value");
    return true;
  }

  /** Index after the closing quote at or after the current position; -1 when it cannot be told. */
  #endOfQuoted(quote: string, hasEscapes: boolean): number {
    const sql = this.#sql;
    for (let i = this.#at + 1; i < sql.length; i++) {
      const char = sql[i];
      if (char === "\\") {
        if (hasEscapes) i++;
        else if (this.#dialect === "unknown" && (sql[i + 1] === quote || sql[i + 1] === "\\")) return -1;
      } else if (char === quote) {
        if (sql[i + 1] !== quote) return i + 1;
        i++;
      }
    }
    return this.#isCut ? sql.length : -1;
  }

  /** A name in standard SQL, a string in MySQL: only PostgreSQL's is shown. */
  #readDoubleQuoted(): boolean {
    return this.#dialect === "postgresql"
      ? this.#readIdentifier('"')
      : this.#readQuoted('"', this.#dialect === "mysql");
  }

  #readIdentifier(quote: string): boolean {
    const end = this.#endOfQuoted(quote, false);
    if (end === -1) return false;
    this.#emit(this.#sql.slice(this.#at, end), "word");
    this.#at = end;
    return true;
  }

  /** "$1" is a placeholder; "$tag$ … $tag$" is a string. */
  #readDollar(): boolean {
    const tag = /^\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/u.exec(this.#sql.slice(this.#at, this.#at + 80))?.[0];
    if (tag !== undefined) {
      const end = this.#sql.indexOf(tag, this.#at + tag.length);
      if (end === -1 && !this.#isCut) return false;
      this.#at = end === -1 ? this.#sql.length : end + tag.length;
      this.#emit("?", "value");
      return true;
    }
    this.#at++;
    while (NUMERIC.test(this.#sql.charAt(this.#at))) this.#at++;
    this.#emit("?", "value");
    return true;
  }

  /** Any run that starts like a number: 1, .5, 1e-3, 0xFF, 1abc. */
  #readNumber(): boolean {
    const sql = this.#sql;
    let at = this.#at + 1;
    while (at < sql.length) {
      const char = sql.charAt(at);
      const isExponentSign = (char === "+" || char === "-") && /^[\d.]+[eE]$/.test(sql.slice(this.#at, at));
      if (!isExponentSign && char !== "." && !WORD_PART.test(char)) break;
      at++;
    }
    this.#at = at;
    this.#emit("?", "value");
    return true;
  }

  #readWord(): boolean {
    let end = this.#at + 1;
    while (end < this.#sql.length && WORD_PART.test(this.#sql.charAt(end))) end++;
    const word = this.#sql.slice(this.#at, end);
    const isPrefix = this.#sql[end] === "'" || (this.#sql[end] === "&" && this.#sql[end + 1] === "'");
    // Oracle's q'[ … ]' ends where its own brackets say, whatever quotes it holds.
    if (isPrefix && this.#dialect === "unknown" && /^n?q$/i.test(word)) return false;
    if (isPrefix && /^(?:[eExXbBnNuU]|_[a-z0-9]+)$/.test(word)) return this.#readPrefixed(word, end);
    this.#at = end;
    this.#emit(word, "word");
    return true;
  }

  /** E'…', X'…', N'…', U&'…', _utf8'…': the prefix is part of the literal. */
  #readPrefixed(prefix: string, end: number): boolean {
    this.#at = this.#sql[end] === "&" ? end + 1 : end;
    return this.#readQuoted("'", this.#dialect === "mysql" || /^[eE]$/.test(prefix));
  }
}
