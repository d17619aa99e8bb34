import { mkdirSync, statSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { DaemonError } from "../errors.ts";

/**
 * Claims the folder of the sockets for this process, until the answer is called or the process dies. Two daemons that start at
 * one moment would both find a socket that nobody listens on, and the second would delete what the first has just made; and
 * a server that closes deletes the file at its path, although another's may lie there by now.
 *
 * As for the state folder the claim is an abstract socket, which the kernel gives to one process only; it holds among the
 * processes of one network namespace. Elsewhere than on Linux nothing is claimed. Throws RUN_DIR_IN_USE, SOCKET_UNUSABLE.
 */
export async function claimRunDir(dir: string): Promise<() => void> {
  if (process.platform !== "linux") return () => undefined;
  const name = `\0apm-daemon-run-${identityOf(dir)}`;
  const server = createServer((socket) => socket.destroy());
  server.unref();
  try {
    await listen(server, name);
  } catch (cause) {
    throw new DaemonError(
      "RUN_DIR_IN_USE",
      `another daemon has its sockets in ${dir}: stop it (apm status tells which it is), or choose another run_dir or --state-dir`,
      { cause },
    );
  }
  return () => server.close();
}

function identityOf(dir: string): string {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o755 });
    const { dev, ino } = statSync(dir);
    return `${dev}-${ino}`;
  } catch (cause) {
    throw new DaemonError(
      "SOCKET_UNUSABLE",
      `the folder ${dir} for the sockets cannot be made (${(cause as NodeJS.ErrnoException).code}): choose another run_dir, or give this user the right to write there`,
      { cause },
    );
  }
}

function listen(server: Server, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.on("error", reject);
    server.listen(name, resolve);
  });
}
