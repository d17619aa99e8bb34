import { lstatSync, type Stats } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { CliError } from "../cli-error.ts";
import { groupName, userName } from "./account-names.ts";
import type { Examined } from "./examined.ts";
import { type Finding, failure, RUN_AS_ROOT, unseen, warning, well } from "./finding.ts";

const AGENT = "agent socket";
const STATUS = "status socket";
const STATUS_MODE = "0660";
const CONNECT_WITHIN_MS = 2_000;

/** Both sockets of the daemon, and what dead daemons left where agents look first. */
export async function checkSockets(examined: Examined): Promise<Finding[]> {
  const { agentSocket, statusSocket, config, status } = examined;
  const isDown = status instanceof CliError && status.code === "NOTHING_LISTENING";
  return [
    ...(await lookAt(AGENT, agentSocket, config.agent_socket_mode, isDown, examined)),
    ...(await lookAt(STATUS, statusSocket, STATUS_MODE, isDown, examined)),
    ...(await leftElsewhere(examined)),
  ];
}

async function lookAt(
  what: string,
  path: string,
  wantedMode: string,
  isDown: boolean,
  examined: Examined,
): Promise<Finding[]> {
  const restart = examined.isSystemService ? "systemctl restart apm-daemon" : "restart the daemon";
  const stat = statOf(path);
  if (stat === "EACCES")
    return [unseen(what, `this user may not enter ${dirname(path)}`, `chmod o+x ${dirname(path)}`)];
  if (stat === null) {
    if (isDown) return [];
    return [failure(what, `${path} was removed while the daemon runs`, restart)];
  }
  if (!stat.isSocket())
    return [failure(what, `${path} is no socket`, `mv ${path} ${path}.aside; ${restart}`)];
  const mode = (stat.mode & 0o777).toString(8).padStart(4, "0");
  const shown = `${path}, mode ${mode}, group ${groupName(stat.gid)}`;
  const outcome = await tryConnect(path);
  if (outcome === "ECONNREFUSED")
    return [
      failure(
        what,
        `${path} is stale: whoever listened there is gone`,
        `start a daemon; it takes the place of the file`,
      ),
    ];
  if (outcome === "EACCES") {
    const found = `${shown}: this user may not connect`;
    return [what === STATUS ? unseen(what, found, RUN_AS_ROOT) : failure(what, found, admission(stat))];
  }
  if (outcome !== "connected") return [failure(what, `${shown}: cannot connect (${outcome})`, restart)];
  if (mode !== wantedMode) return [warning(what, `${shown}, but ${wantedMode} is configured`, restart)];
  return [well(what, `${shown}; this user may connect`)];
}

function admission(stat: Stats): string {
  const wider = 'agent_socket_mode = "0666"';
  // Nobody should join root's group for the sake of a socket.
  if ((stat.mode & 0o020) === 0 || stat.gid === 0) return wider;
  return `usermod -aG ${groupName(stat.gid)} ${userName(process.getuid?.() ?? 0)} and log in again; or ${wider}`;
}

/** Agents try the default places in turn: a socket that nobody serves may stand before the right one. */
async function leftElsewhere({ context, agentSocket }: Examined): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const dir of context.places.socketDirs) {
    const path = join(dir, "agent.sock");
    const stat = path === agentSocket ? null : statOf(path);
    if (stat === null || stat === "EACCES" || !stat.isSocket()) continue;
    if ((await tryConnect(path)) === "ECONNREFUSED")
      findings.push(warning(AGENT, `${path} is stale too`, `rm ${path}`));
  }
  return findings;
}

function statOf(path: string): Stats | "EACCES" | null {
  try {
    return lstatSync(path);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EACCES" ? "EACCES" : null;
  }
}

function tryConnect(path: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.setTimeout(CONNECT_WITHIN_MS);
    const end = (outcome: string): void => {
      socket.destroy();
      resolve(outcome);
    };
    socket.once("connect", () => end("connected"));
    socket.once("timeout", () => end("ETIMEDOUT"));
    socket.once("error", (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  });
}
