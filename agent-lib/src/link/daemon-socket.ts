import { writeSync } from "node:fs";
import { connect, type Socket } from "node:net";

/** Node's handle of a pipe as far as it is used here. */
interface PipeHandle {
  readonly fd: number;
}

/** What a daemon says in one go usually is far shorter. */
const READ_BYTES = 4_096;

/**
 * The Unix socket to the daemon. Writing goes past Node's stream: a write that libuv has queued would keep the process
 * alive until the daemon reads (even if the socket is unref'ed), and the memory of a growing queue is not bounded.
 * A direct write of the non-blocking descriptor takes what the kernel has room for and says so.
 */
export class DaemonSocket {
  readonly #socket: Socket;

  /** Connects at once; the process is not kept alive by it. A chunk is to be read at once: the next one overwrites it. */
  constructor(
    path: string,
    events: { onConnect(): void; onData(chunk: Buffer): void; onClose(error: Error | null): void },
  ) {
    let failure: Error | null = null;
    this.#socket = connect({
      path,
      // The stream would take 64 KiB of memory for each acknowledgement, and hand them over by an event of its own.
      onread: {
        buffer: Buffer.allocUnsafeSlow(READ_BYTES),
        callback: (bytes, buffer) => {
          events.onData(Buffer.from(buffer.buffer, buffer.byteOffset, bytes));
          return true;
        },
      },
    });
    this.#socket.unref();
    this.#socket.on("connect", () => events.onConnect());
    this.#socket.on("error", (error) => {
      failure = error;
    });
    this.#socket.on("close", () => events.onClose(failure));
  }

  /** Bytes that the kernel took now, from `offset` on; 0 when it has no room. Throws when the connection is gone. */
  write(message: Buffer, offset: number): number {
    // Looked up each time: after a close the number may belong to a file of the app.
    const fd = (this.#socket as Socket & { _handle?: PipeHandle | null })._handle?.fd ?? -1;
    if (fd < 0 || this.#socket.destroyed) throw new Error("the connection to the daemon is closed");
    try {
      return writeSync(fd, message, offset, message.length - offset);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EAGAIN") return 0;
      throw error;
    }
  }

  close(): void {
    this.#socket.destroy();
  }
}
