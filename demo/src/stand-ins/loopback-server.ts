import { createServer, type Server, type Socket } from "node:net";
import { listenOnLoopback } from "./usual-port.ts";

/** A TCP server on a free port of loopback that can be ended with all its connections. */
export class LoopbackServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /** A connection that `serve` rejects is closed, and that is all: its peer sees it and connects again. */
  constructor(serve: (socket: Socket) => Promise<void>) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => {}).on("close", () => this.#sockets.delete(socket));
      serve(socket).then(
        () => socket.end(),
        () => socket.destroy(),
      );
    });
  }

  /** The port: the usual one where that is free. */
  listen(usualPort = 0): Promise<number> {
    return listenOnLoopback(this.#server, usualPort);
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
