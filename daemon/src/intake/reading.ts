import type { Socket } from "node:net";

/** The part of Node's socket that really stops it from reading; not documented, unchanged since Node 0.12. */
interface WithHandle {
  _handle?: { readStop?(): number; readStart?(): number } | null;
}

/**
 * Reads nothing more from a socket, not even its end: what an app wrote before it ended stays in the kernel. `pause()` alone goes on
 * to read into the stream's buffer, and closes the socket at the end of the stream.
 */
export function stopReading(socket: Socket): void {
  socket.pause();
  (socket as Socket & WithHandle)._handle?.readStop?.();
}

export function startReading(socket: Socket): void {
  (socket as Socket & WithHandle)._handle?.readStart?.();
  socket.resume();
}
