import {
  accessSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { DaemonError } from "./errors.ts";
import { listenOnSocket } from "./intake/socket-path.ts";

/**
 * Claims a state folder for this process. On Linux the claim is an abstract socket named after the folder's device and inode: the
 * kernel gives it to one process only and takes it back when that process dies, however it dies. Such names are apart in
 * each network namespace, so a socket file in the folder tells off a daemon in another container that shares it. Elsewhere
 * the status socket alone tells a second daemon off. Other users may pass through the folder to the sockets below it, but not list it.
 * Throws STATE_DIR_NOT_WRITABLE, STATE_DIR_IN_USE.
 */
export async function claimStateDir(dir: string): Promise<() => void> {
  let identity: string;
  try {
    mkdirSync(dir, { recursive: true, mode: 0o711 });
    accessSync(dir, constants.W_OK | constants.X_OK);
    const { dev, ino } = statSync(dir);
    identity = `${dev}-${ino}`;
  } catch (cause) {
    throw new DaemonError(
      "STATE_DIR_NOT_WRITABLE",
      `the state folder ${dir} cannot be made or written (${(cause as NodeJS.ErrnoException).code}): choose another with --state-dir, or give this user the right to write there`,
      { cause },
    );
  }
  if (process.platform !== "linux") return () => undefined;
  const server = createServer((socket) => socket.destroy());
  await listen(server, `\0apm-daemon-${identity}`, dir);
  server.unref();
  const unlock = await lockFile(dir).catch((error: unknown) => {
    server.close();
    throw error;
  });
  notePid(dir);
  return () => {
    unlock();
    server.close();
  };
}

/** A socket file that only its owner may connect to; by way of /proc, since a socket's path must be short. */
async function lockFile(dir: string): Promise<() => void> {
  const server = createServer((socket) => socket.destroy());
  const folder = openSync(dir, "r");
  try {
    await listenOnSocket(server, `/proc/self/fd/${folder}/daemon.lock`, 0o600);
  } catch (cause) {
    closeSync(folder);
    // A disk that takes no socket is no reason not to start: the abstract name is held.
    if (cause instanceof DaemonError && cause.code === "SOCKET_IN_USE") throw inUse(dir, cause);
    return () => undefined;
  }
  server.unref();
  return () => server.close(() => closeSync(folder));
}

function listen(server: Server, path: string, dir: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.on("error", (cause) => reject(inUse(dir, cause)));
    server.listen(path, resolve);
  });
}

function inUse(dir: string, cause: unknown): DaemonError {
  return new DaemonError(
    "STATE_DIR_IN_USE",
    `another daemon${notedPid(dir)} works in the state folder ${dir}: stop it, or choose another --state-dir`,
    { cause },
  );
}

/** Only for the message that a second daemon gets: a disk that refuses it prevents nothing. */
function notePid(dir: string): void {
  try {
    writeFileSync(pidFile(dir), `${process.pid}\n`);
  } catch {
    // The message goes without it.
  }
}

/** " (process 7)", or "" where it is not known. */
function notedPid(dir: string): string {
  try {
    const pid = /^\d+$/m.exec(readFileSync(pidFile(dir), "utf8"))?.[0];
    return pid === undefined ? "" : ` (process ${pid})`;
  } catch {
    return "";
  }
}

function pidFile(dir: string): string {
  return join(dir, "daemon.pid");
}
