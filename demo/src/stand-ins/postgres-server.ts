import type { Socket } from "node:net";
import { LoopbackServer } from "./loopback-server.ts";
import {
  boundValues,
  type ClientMessage,
  type Column,
  dataRow,
  errorResponse,
  int32,
  MessageReader,
  message,
  rowDescription,
  text,
  textAt,
} from "./postgres-messages.ts";

export interface StatementResult {
  columns: readonly Column[];
  rows: readonly (readonly (string | null)[])[];
  /** What the server says was done, such as "INSERT 0 1". */
  tag: string;
}

/** Takes as long as the statement does. Rejects with a StatementError where the statement fails. */
export type AnswerStatement = (
  statement: string,
  values: readonly (string | null)[],
) => Promise<StatementResult>;

export class StatementError extends Error {
  /** PostgreSQL's SQLSTATE. */
  readonly code: string;

  constructor(code: string, sentence: string) {
    super(sentence);
    this.code = code;
  }
}

/** Listens as a PostgreSQL server that knows the statements of `answer` and nothing else. */
export function postgresServer(answer: AnswerStatement): LoopbackServer {
  return new LoopbackServer(async (socket) => {
    const session = new Session(socket, answer);
    const reader = new MessageReader();
    for await (const chunk of socket) {
      // What answers one packet goes out as one.
      socket.cork();
      for (const one of reader.read(chunk as Buffer)) await session.take(one);
      socket.uncork();
    }
  });
}

/** Outside of a transaction, within one, within one that failed. */
type TransactionState = "I" | "T" | "E";

/**
 * A connection: one statement at a time. A statement with values comes as Parse, Bind, Describe, Execute and Sync; after an
 * error all is passed over up to the Sync.
 */
class Session {
  readonly #socket: Socket;
  readonly #answer: AnswerStatement;
  readonly #statements = new Map<string, string>();
  #statement = "";
  #values: (string | null)[] = [];
  #transaction: TransactionState = "I";
  #isFailed = false;

  constructor(socket: Socket, answer: AnswerStatement) {
    this.#socket = socket;
    this.#answer = answer;
  }

  async take({ type, body }: ClientMessage): Promise<void> {
    if (type === "S") return this.#ready();
    if (type === "X") {
      this.#socket.end();
      return;
    }
    if (this.#isFailed) return;
    if (type === "tls?") this.#socket.write("N");
    else if (type === "") this.#greet();
    else if (type === "Q") {
      await this.#execute(textAt(body, 0), []);
      this.#ready();
    } else if (type === "P") {
      this.#statements.clear(); // the demo's apps prepare nothing for later
      this.#statements.set(textAt(body, 0), textAt(body, 1));
      this.#socket.write(message("1"));
    } else if (type === "B") {
      this.#statement = this.#statements.get(textAt(body, 1)) ?? "";
      this.#values = boundValues(body);
      this.#socket.write(message("2"));
    } else if (type === "E") await this.#execute(this.#statement, this.#values);
    // A Describe is answered together with the Execute that follows it.
  }

  #greet(): void {
    const parameters = { server_version: "17.0", client_encoding: "UTF8", DateStyle: "ISO, MDY" };
    this.#socket.write(
      Buffer.concat([
        message("R", int32(0)),
        ...Object.entries(parameters).map(([name, value]) => message("S", text(name), text(value))),
        message("K", int32(1), int32(1)),
      ]),
    );
    this.#ready();
  }

  async #execute(statement: string, values: readonly (string | null)[]): Promise<void> {
    try {
      const { columns, rows, tag } = await this.#answer(statement, values);
      this.#transaction = stateAfter(tag, this.#transaction);
      const described = columns.length === 0 ? [] : [rowDescription(columns), ...rows.map(dataRow)];
      this.#socket.write(Buffer.concat([...described, message("C", text(tag))]));
    } catch (error) {
      if (!(error instanceof StatementError)) throw error;
      this.#isFailed = true;
      if (this.#transaction === "T") this.#transaction = "E";
      this.#socket.write(errorResponse(error.code, error.message));
    }
  }

  #ready(): void {
    this.#isFailed = false;
    this.#socket.write(message("Z", Buffer.from(this.#transaction)));
  }
}

function stateAfter(tag: string, state: TransactionState): TransactionState {
  if (tag === "BEGIN") return "T";
  return tag === "COMMIT" || tag === "ROLLBACK" ? "I" : state;
}
