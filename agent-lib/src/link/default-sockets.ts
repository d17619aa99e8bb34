import { tmpdir } from "node:os";
import { join } from "node:path";

/** Where a daemon's agent socket is looked for without APM_SOCKET, best first. */
export function defaultSocketPaths(env: NodeJS.ProcessEnv, uid: number): string[] {
  const runtimeDir = env["XDG_RUNTIME_DIR"];
  return [
    ...(runtimeDir === undefined || runtimeDir === "" ? [] : [join(runtimeDir, "apm-daemon", "agent.sock")]),
    "/run/apm-daemon/agent.sock",
    join(tmpdir(), `apm-daemon-${uid}`, "agent.sock"),
  ];
}
