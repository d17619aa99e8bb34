import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const CONNECTIONS = 32;
const BEAT_MS = 5;
const ANSWER = "HTTP/1.1 200 ";

interface Connection {
  socket: Socket;
  waiting: number;
  rest: string;
}

/** Requests at a steady rate over kept-alive connections; what is late is made up for. Little work for who sends them. */
export class RequestLoad {
  readonly #connections: Connection[];
  readonly #request: string;
  answered = 0;
  sent = 0;
  #problem: Error | null = null;

  private constructor(connections: Connection[], request: string) {
    this.#connections = connections;
    this.#request = request;
    for (const connection of connections) {
      connection.socket.setEncoding("latin1").on("data", (text: string) => this.#read(connection, text));
      connection.socket.on("error", (error) => {
        this.#problem = error;
      });
      connection.socket.on("close", () => {
        if (connection.waiting > 0)
          this.#problem ??= new Error(`the app hung up on ${connection.waiting} requests`);
      });
    }
  }

  static async open(url: string): Promise<RequestLoad> {
    const { hostname, port, host } = new URL(url);
    const connections = await Promise.all(
      Array.from({ length: CONNECTIONS }, async () => {
        const socket = connect(Number(port), hostname);
        await once(socket, "connect");
        return { socket, waiting: 0, rest: "" };
      }),
    );
    return new RequestLoad(connections, `GET /hello HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  }

  /** Throws when the app hangs up. */
  async run(requestsPerSecond: number, seconds: number): Promise<void> {
    const startMs = performance.now();
    const before = this.sent;
    for (let elapsedMs = 0; elapsedMs < seconds * 1_000; elapsedMs = performance.now() - startMs) {
      const due = Math.floor((elapsedMs / 1_000) * requestsPerSecond);
      while (this.sent - before < due) this.#send();
      await sleep(BEAT_MS);
      if (this.#problem !== null) throw this.#problem;
    }
  }

  /** Waits for what is not answered, and hangs up. */
  async close(): Promise<void> {
    while (this.answered < this.sent && this.#problem === null) await sleep(BEAT_MS);
    for (const { socket } of this.#connections) socket.destroy();
    if (this.#problem !== null) throw this.#problem;
  }

  #send(): void {
    const connection = this.#connections[this.sent % CONNECTIONS] as Connection;
    connection.waiting++;
    this.sent++;
    connection.socket.write(this.#request);
  }

  #read(connection: Connection, chunk: string): void {
    const text = connection.rest + chunk;
    const answers = text.split(ANSWER).length - 1;
    connection.rest = text.slice(1 - ANSWER.length);
    connection.waiting -= answers;
    this.answered += answers;
  }
}
