import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CliError } from "../cli-error.ts";
import { shownAge } from "../terminal/quantities.ts";
import type { Examined } from "./examined.ts";
import { type Finding, failure, RUN_AS_ROOT, unseen, warning, well } from "./finding.ts";

const WHAT = "daemon";

/** The daemon: running, answering, and what it says is wrong. */
export function checkDaemon(examined: Examined): Finding[] {
  const { status, statusSocket, isSystemService } = examined;
  if (status instanceof CliError) return [silence(status, examined)];
  const { version, pid, startUnixMs, health, problems } = status;
  const found = `apm-daemon ${version}, pid ${pid}, up ${shownAge(Date.now() - startUnixMs)}, ${health}`;
  const log = isSystemService
    ? "journalctl -u apm-daemon -n 50"
    : `curl --unix-socket ${statusSocket} http://daemon/status`;
  const judge = health === "failing" ? failure : warning;
  return [well(WHAT, found), ...problems.map((problem) => judge(WHAT, problem, log))];
}

function silence(error: CliError, { stateDir, statusSocket, isSystemService }: Examined): Finding {
  const code = (error.cause as NodeJS.ErrnoException | undefined)?.code;
  if (code === "EACCES") return unseen(WHAT, `this user may not ask ${statusSocket}`, RUN_AS_ROOT);
  const pid = notedPid(stateDir);
  if (pid !== null)
    return failure(
      WHAT,
      `process ${pid} holds ${stateDir} but does not answer`,
      isSystemService
        ? "systemctl restart apm-daemon"
        : `kill -9 ${pid}, then start it again: nothing journaled is lost`,
    );
  if (error.code === "NO_ANSWER")
    return failure(WHAT, error.message, `see who listens: ss -xlp src ${statusSocket}`);
  return failure(
    WHAT,
    `none answers at ${statusSocket}`,
    isSystemService ? "systemctl start apm-daemon; journalctl -u apm-daemon -n 50" : "apm up, or: apm daemon",
  );
}

/** The process that last claimed the state folder, if it is a daemon and still there. */
function notedPid(stateDir: string): number | null {
  try {
    const pid = Number(readFileSync(join(stateDir, "daemon.pid"), "utf8"));
    const args = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    return Number.isInteger(pid) && args.includes("daemon") ? pid : null;
  } catch {
    return null;
  }
}
