import { dirname, join, resolve } from "node:path";
import type { CliContext } from "../cli-context.ts";
import type { Distrust } from "./status-client.ts";

/** Where a daemon may listen: below the folder that was named, else beside APM_SOCKET, else at the default places. */
export function statusSockets(
  context: Pick<CliContext, "env" | "cwd" | "places">,
  stateDir: string | undefined,
): string[] {
  if (stateDir !== undefined) return [join(resolve(context.cwd, stateDir), "run/status.sock")];
  if (context.env.APM_SOCKET) return [join(dirname(context.env.APM_SOCKET), "status.sock")];
  return context.places.socketDirs.map((dir) => join(dir, "status.sock"));
}

/** Why a socket must not be asked. One that the user named is asked whoever owns its folder. */
export function socketDistrust(
  context: Pick<CliContext, "env" | "places">,
  stateDir: string | undefined,
): Distrust {
  if (stateDir !== undefined || context.env.APM_SOCKET) return () => Promise.resolve(null);
  const { tmpRunDir, uid } = context.places;
  return async (socket) => {
    if (dirname(socket) !== tmpRunDir) return null;
    // The protocol's index loads all of it.
    const { folderDistrust } = await import("@apm-daemon/protocol");
    return folderDistrust(tmpRunDir, uid);
  };
}
