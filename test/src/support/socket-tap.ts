import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import type { Cleanup } from "./cleanup.ts";

/** A Unix socket that hands all on to another one and keeps a copy of what came in. */
export class SocketTap {
  readonly path: string;
  readonly #received: Buffer[] = [];

  private constructor(path: string) {
    this.path = path;
  }

  static async start(cleanup: Cleanup, target: string): Promise<SocketTap> {
    const tap = new SocketTap(join(cleanup.tempDir(), "tap.sock"));
    const open = new Set<Socket>();
    const server = createServer((incoming) => {
      const outgoing = connect(target);
      incoming.on("data", (chunk: Buffer) => tap.#received.push(chunk));
      incoming.pipe(outgoing).pipe(incoming);
      for (const [socket, other] of [
        [incoming, outgoing],
        [outgoing, incoming],
      ] as const) {
        open.add(socket);
        socket.on("error", () => other.destroy());
        socket.on("close", () => {
          open.delete(socket);
          other.destroy();
        });
      }
    });
    server.listen(tap.path);
    await once(server, "listening");
    cleanup.add(() => {
      server.close();
      for (const socket of open) socket.destroy();
    });
    return tap;
  }

  get received(): Buffer {
    return Buffer.concat(this.#received);
  }
}
