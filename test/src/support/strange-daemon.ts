import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { DEFAULT_AGENT_SETTINGS, encodeWelcome } from "@apm-daemon/protocol";
import type { Cleanup } from "./cleanup.ts";

/** How something that is no good daemon treats an agent that connects. */
export type Strangeness = "reads 1 byte/s" | "sends garbage" | "hangs up" | "never reads";

const WELCOME: Buffer = encodeWelcome({ version: 1, lastSequence: 0, settings: DEFAULT_AGENT_SETTINGS });
/** What a daemon would never say: a length beyond any limit, text, a WELCOME that is none, an endless message. */
const GARBAGE: readonly Buffer[] = [
  Buffer.from("ffffffff01", "hex"),
  Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"),
  Buffer.from("03000000027b7b", "hex"),
  Buffer.concat([WELCOME, Buffer.alloc(200_000, 0xa5)]),
  Buffer.from("0000ff0002", "hex"),
];

/** Listens where a daemon would, and behaves as told. */
export class StrangeDaemon {
  readonly socketPath: string;
  connections = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(cleanup: Cleanup, strangeness: Strangeness) {
    this.socketPath = join(cleanup.tempDir(), "agent.sock");
    this.#server = createServer({ pauseOnConnect: true }, (socket) => {
      this.connections++;
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => this.#sockets.delete(socket));
      this.#treat(socket, strangeness);
    });
    cleanup.add(async () => {
      for (const socket of this.#sockets) socket.destroy();
      this.#server.close();
      await once(this.#server, "close");
    });
  }

  static async start(cleanup: Cleanup, strangeness: Strangeness): Promise<StrangeDaemon> {
    const daemon = new StrangeDaemon(cleanup, strangeness);
    daemon.#server.listen(daemon.socketPath);
    await once(daemon.#server, "listening");
    return daemon;
  }

  #treat(socket: Socket, strangeness: Strangeness): void {
    if (strangeness === "sends garbage") {
      socket.write(GARBAGE[this.connections % GARBAGE.length] as Buffer);
      socket.resume();
      return;
    }
    socket.write(WELCOME);
    if (strangeness === "hangs up") hangUpWithinAFrame(socket);
    if (strangeness === "reads 1 byte/s") readSlowly(socket);
  }
}

/** In the middle of some write, at another byte each time. */
function hangUpWithinAFrame(socket: Socket): void {
  let leftBytes = 1_000 + Math.floor(Math.random() * 100_000);
  socket.on("data", (chunk: Buffer) => {
    leftBytes -= chunk.length;
    if (leftBytes <= 0) socket.destroy();
  });
  socket.resume();
}

function readSlowly(socket: Socket): void {
  const timer = setInterval(() => socket.read(1), 1_000);
  socket.on("close", () => clearInterval(timer));
  // Node reads ahead as soon as somebody listens; nobody does.
  socket.pause();
}
