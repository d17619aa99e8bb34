import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

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

  /** The port. */
  async listen(): Promise<number> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
