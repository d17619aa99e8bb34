import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import type { Cleanup } from "./cleanup.ts";

/** A wire between client and server that can be made slow, or deaf on the way back, and be cut. */
export class TcpProxy {
  /** Speed from client to server. */
  bytesPerSecond: number = Number.POSITIVE_INFINITY;
  /** What the server says after so many bytes of a connection never arrives. */
  answersOnlyBytes: number = Number.POSITIVE_INFINITY;
  /** Bytes that were swallowed so. */
  swallowedBytes = 0;
  /** Connections so far. */
  connections = 0;
  readonly #server: Server;
  readonly #sockets: Set<Socket> = new Set();
  readonly #targetPort: number;

  private constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#server = createServer((client) => this.#join(client));
  }

  static async start(cleanup: Cleanup, targetPort: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(targetPort);
    await once(proxy.#server.listen(0, "127.0.0.1"), "listening");
    cleanup.add(async () => {
      proxy.cut();
      proxy.#server.close();
      await once(proxy.#server, "close");
    });
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends all connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(client: Socket): void {
    this.connections++;
    const server = connect(this.#targetPort, "127.0.0.1");
    let answeredBytes = 0;
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    client.on("data", (chunk) => {
      server.write(chunk);
      if (!Number.isFinite(this.bytesPerSecond)) return;
      client.pause();
      setTimeout(() => client.resume(), (chunk.length / this.bytesPerSecond) * 1_000);
    });
    server.on("data", (chunk) => {
      const kept = chunk.subarray(0, Math.max(0, this.answersOnlyBytes - answeredBytes));
      answeredBytes += chunk.length;
      this.swallowedBytes += chunk.length - kept.length;
      client.write(kept);
    });
  }
}
