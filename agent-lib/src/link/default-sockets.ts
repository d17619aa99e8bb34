import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { folderDistrust } from "@apm-daemon/protocol";

export interface SocketPlaces {
  /** Best first. */
  readonly paths: readonly string[];
  /** Why a path must not be used now, as a sentence for people; null when it may be. */
  distrust(path: string): string | null;
}

/** Where a daemon's agent socket is looked for without APM_SOCKET. Anybody can make a folder in `tmpDir`: it is checked. */
export function defaultSockets(env: NodeJS.ProcessEnv, uid: number, tmpDir: string = tmpdir()): SocketPlaces {
  const runtimeDir = env["XDG_RUNTIME_DIR"];
  const inTmp = join(tmpDir, `apm-daemon-${uid}`, "agent.sock");
  return {
    paths: [
      ...(runtimeDir === undefined || runtimeDir === ""
        ? []
        : [join(runtimeDir, "apm-daemon", "agent.sock")]),
      "/run/apm-daemon/agent.sock",
      inTmp,
    ],
    distrust: (path) => {
      const reason = path === inTmp ? folderDistrust(dirname(path), uid) : null;
      return reason === null
        ? null
        : `the folder ${dirname(path)} is not trusted: ${reason}. Remove it, or name the daemon's socket with APM_SOCKET.`;
    },
  };
}

/** A socket that the user chose, whoever owns its folder. */
export function chosenSocket(path: string): SocketPlaces {
  return { paths: [path], distrust: () => null };
}
