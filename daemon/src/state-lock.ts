import { accessSync, constants, mkdirSync, statSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { DaemonError } from "./errors.ts";

/**
 * Claims a state folder for this process. On Linux the claim is an abstract socket named after the folder's device and inode: the
 * kernel gives it to one process only and takes it back when that process dies, however it dies. Elsewhere the status
 * socket alone tells a second daemon off. Throws STATE_DIR_NOT_WRITABLE, STATE_DIR_IN_USE.
 */
export async function claimStateDir(dir: string): Promise<() => void> {
  let identity: string;
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
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
  return () => server.close();
}

function listen(server: Server, path: string, dir: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.on("error", (cause) => {
      reject(
        new DaemonError(
          "STATE_DIR_IN_USE",
          `another daemon works in the state folder ${dir}: stop it (apm status --state-dir ${dir} tells which), or choose another --state-dir`,
          { cause },
        ),
      );
    });
    server.listen(path, resolve);
  });
}
