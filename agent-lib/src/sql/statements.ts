import { CommandStatements } from "./command-statements.ts";
import { MongodbStatements } from "./mongodb-statements.ts";
import type { ObfuscatedStatement } from "./obfuscate.ts";
import { type SqlMode, StatementCache } from "./statement-cache.ts";

const DIALECTS: Readonly<Record<string, "postgresql" | "mysql">> = {
  postgresql: "postgresql",
  mysql: "mysql",
  mariadb: "mysql",
};

/** Stores whose commands carry values without quotes. */
const COMMAND_SYSTEMS: ReadonlySet<string> = new Set(["redis", "valkey", "memcached", "keydb", "dragonfly"]);

/** The statements of one process, by their language. */
export class Statements {
  readonly postgresql: StatementCache = new StatementCache("postgresql");
  readonly mysql: StatementCache = new StatementCache("mysql");
  /** Commands to Redis and memcached. */
  readonly commands: CommandStatements = new CommandStatements();
  readonly mongodb: MongodbStatements = new MongodbStatements();
  /** Commands as the text that an app makes of them. */
  readonly #command = new StatementCache("command");
  readonly #unknown = new StatementCache("unknown");
  #mode: SqlMode = "obfuscated";

  get mode(): SqlMode {
    return this.#mode;
  }

  set mode(mode: SqlMode) {
    this.#mode = mode;
    const { postgresql, mysql, commands, mongodb } = this;
    for (const statements of [postgresql, mysql, commands, mongodb, this.#command, this.#unknown])
      statements.mode = mode;
  }

  /** What to record of a text that an app hands over; `system` is its `db.system.name`, "" where it did not say. */
  of(system: string, text: string): ObfuscatedStatement {
    const dialect = Object.hasOwn(DIALECTS, system) ? DIALECTS[system] : undefined;
    if (dialect !== undefined) return this[dialect].of(text);
    return (COMMAND_SYSTEMS.has(system) ? this.#command : this.#unknown).of(text);
  }
}

/** What a call is named by OpenTelemetry's conventions: operation and table, else the system. */
export function callName({ operation, table }: ObfuscatedStatement, system: string): string {
  if (operation === "") return system;
  return table === "" ? operation : `${operation} ${table}`;
}
