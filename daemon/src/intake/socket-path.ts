import { lstatSync, mkdirSync, unlinkSync } from "node:fs";
import { connect, type Server } from "node:net";
import { dirname } from "node:path";
import { DaemonError } from "../errors.ts";

/** sun_path of Linux holds 108 bytes with the final zero; Node cuts longer paths without a word. */
const MAX_SOCKET_PATH_BYTES = 107;
/** Connections that may wait to be taken: all apps of a host that was away. The kernel cuts it to net.core.somaxconn. */
export const SOCKET_BACKLOG = 4_096;

/**
 * Lets a server listen on a Unix socket that has its mode from the first moment. Removes a socket file that nobody listens
 * on; never a live one, never a file that is no socket. Rejects with SOCKET_IN_USE, SOCKET_PATH_TAKEN,
 * SOCKET_PATH_TOO_LONG, SOCKET_UNUSABLE.
 */
export async function listenOnSocket(
  server: Server,
  path: string,
  mode: number,
  backlog: number = SOCKET_BACKLOG,
): Promise<void> {
  const bytes = Buffer.byteLength(path);
  if (bytes > MAX_SOCKET_PATH_BYTES) {
    throw new DaemonError(
      "SOCKET_PATH_TOO_LONG",
      `the socket path ${path} has ${bytes} bytes, the system allows ${MAX_SOCKET_PATH_BYTES}: choose a shorter run_dir or --state-dir`,
    );
  }
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    await clearStaleSocket(path);
    await listen(server, path, mode, backlog);
  } catch (cause) {
    if (cause instanceof DaemonError) throw cause;
    throw new DaemonError(
      "SOCKET_UNUSABLE",
      `cannot listen on ${path} (${(cause as NodeJS.ErrnoException).code}): choose another run_dir, or give this user the right to write there`,
      { cause },
    );
  }
}

function listen(server: Server, path: string, mode: number, backlog: number): Promise<void> {
  return new Promise((resolve, reject) => {
    // Stays: a later error, like a failed accept for lack of descriptors, must not end the process.
    server.on("error", reject);
    const umask = process.umask(0o777 & ~mode);
    try {
      server.listen({ path, backlog }, resolve);
    } finally {
      process.umask(umask);
    }
  });
}

async function clearStaleSocket(path: string): Promise<void> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isSocket()) {
    throw new DaemonError(
      "SOCKET_PATH_TAKEN",
      `${path} exists and is no socket: move it away, or choose another run_dir`,
    );
  }
  if (await isAnswering(path)) {
    throw new DaemonError(
      "SOCKET_IN_USE",
      `another program listens on ${path}: stop it (apm status tells which daemon it is), or choose another --state-dir`,
    );
  }
  unlinkSync(path);
}

function isAnswering(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    // EAGAIN: the listener's queue is full, so there is a listener.
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "EAGAIN"));
  });
}
