import { fstatSync, readFileSync, realpathSync } from "node:fs";
import type { Server } from "node:net";
import { basename, dirname, join } from "node:path";
import { DaemonError } from "../errors.ts";
import { SOCKET_BACKLOG } from "./socket-path.ts";

/** Descriptors of sockets on which systemd listens in the daemon's place, see sd_listen_fds(3). */
export interface PassedSockets {
  agent?: number;
  status?: number;
}

/**
 * Lets a server take the connections of a socket that systemd has made at `path`: they wait there while the daemon is away. Its mode and
 * group are the unit's, and closing the server leaves the file and, where koffi can be loaded, the descriptor for another server. Rejects with SOCKET_UNUSABLE when the descriptor is another socket.
 */
export async function listenOnPassed(
  server: Server,
  fd: number,
  path: string,
  backlog: number = SOCKET_BACKLOG,
): Promise<void> {
  const found = pathOf(fd);
  if (found === null || !isSamePath(found, path))
    throw unusable(
      fd,
      `it is ${found ?? "no listening Unix socket"}, expected ${path}: correct ListenStream= of apm-daemon.socket (agent.sock first, then status.sock) or run_dir`,
    );
  const own = await duplicate(fd);
  await new Promise<void>((resolve, reject) => {
    // Stays: a later error, like a failed accept for lack of descriptors, must not end the process.
    server.on("error", (cause) => reject(unusable(fd, `${cause.message}: see apm-daemon.socket`, cause)));
    server.listen({ fd: own, backlog }, resolve);
  });
}

const F_DUPFD_CLOEXEC = 1030;

/** Another descriptor of the same socket: a server closes its own. The same one where koffi cannot be loaded. */
async function duplicate(fd: number): Promise<number> {
  try {
    const { default: koffi } = await import("koffi");
    const fcntl = koffi.load(null).func("int fcntl(int fd, int command, int argument)");
    const copy = fcntl(fd, F_DUPFD_CLOEXEC, 0) as number;
    return copy < 0 ? fd : copy;
  } catch {
    return fd;
  }
}

function unusable(fd: number, why: string, cause?: unknown): DaemonError {
  return new DaemonError(
    "SOCKET_UNUSABLE",
    `cannot use the socket that systemd passed as descriptor ${fd}: ${why}`,
    {
      cause,
    },
  );
}

/** Where the socket behind a descriptor is bound; null when it is none, or nowhere. */
function pathOf(fd: number): string | null {
  try {
    const stat = fstatSync(fd);
    if (!stat.isSocket()) return null;
    // Columns: address, references, protocol, flags, type, state, inode, path.
    const line = readFileSync("/proc/self/net/unix", "utf8")
      .split("\n")
      .find((text) => text.trim().split(/\s+/)[6] === String(stat.ino));
    return line?.trim().split(/\s+/).slice(7).join(" ") || null;
  } catch {
    return null;
  }
}

/** /var/run is /run. */
function isSamePath(a: string, b: string): boolean {
  return basename(a) === basename(b) && realFolder(a) === realFolder(b);
}

function realFolder(path: string): string {
  try {
    return realpathSync(dirname(path));
  } catch {
    return join(dirname(path));
  }
}
