import { writeSync } from "node:fs";
import type { Socket } from "node:net";

/** The part of Node's Unix socket that has the descriptor; not documented, unchanged since Node 0.12. */
interface WithHandle {
  _handle?: { fd?: number } | null;
}

/**
 * Writes a small message straight to the descriptor; false when the kernel has no room for it now.
 *
 * Not through the stream: an app that has just ended cannot take an acknowledgement, and the EPIPE of a stream write would
 * make Node destroy the socket, with it what the app wrote before its end and what is still unread here. A peer that
 * is gone counts as written to.
 */
export function writePast(socket: Socket, message: Buffer): boolean {
  const fd = (socket as Socket & WithHandle)._handle?.fd ?? -1;
  if (fd < 0) return true;
  try {
    // A Unix socket takes a message this small whole or not at all.
    writeSync(fd, message);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "EAGAIN";
  }
}
