import { accessSync, constants, type Stats, statSync } from "node:fs";
import { CliError } from "../cli-error.ts";
import { userName } from "./account-names.ts";
import type { Examined } from "./examined.ts";
import { type Finding, failure, RUN_AS_ROOT, unseen, warning, well } from "./finding.ts";

const WHAT = "state folder";
const WRITABLE_BY_OTHERS = 0o022;

/** The state folder: there, its daemon's own, writable, and by nobody else. */
export function checkStateFolder(examined: Examined): Finding[] {
  const { stateDir, status, context } = examined;
  let stat: Stats;
  try {
    stat = statSync(stateDir);
  } catch (error) {
    return [missing(examined, (error as NodeJS.ErrnoException).code ?? "")];
  }
  if (!stat.isDirectory())
    return [failure(WHAT, `${stateDir} is no folder`, `mv ${stateDir} ${stateDir}.aside`)];
  const owner = userName(stat.uid);
  const mode = (stat.mode & 0o777).toString(8).padStart(4, "0");
  const shown = `${stateDir}, owner ${owner}, mode ${mode}`;
  if ((stat.mode & WRITABLE_BY_OTHERS) !== 0)
    return [failure(WHAT, `${shown}: others may write in it`, `chmod go-w ${stateDir}`)];
  const daemonUid = status instanceof CliError ? null : uidOf(status.pid);
  if (daemonUid !== null && daemonUid !== 0 && daemonUid !== stat.uid)
    return [
      failure(
        WHAT,
        `${shown}, but the daemon runs as ${userName(daemonUid)}`,
        `chown -R ${userName(daemonUid)} ${stateDir}`,
      ),
    ];
  if (!context.isRoot && stat.uid !== process.getuid?.())
    return [
      daemonUid === null ? unseen(WHAT, `${shown}; only its owner may look inside`) : well(WHAT, shown),
    ];
  return [writable(stateDir, shown)];
}

function writable(stateDir: string, shown: string): Finding {
  try {
    accessSync(stateDir, constants.W_OK | constants.X_OK);
    return well(WHAT, shown);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const remedy =
      code === "EROFS" ? `mount -o remount,rw the disk of ${stateDir}` : `chmod u+rwx ${stateDir}`;
    return failure(WHAT, `${shown}: cannot be written (${code})`, remedy);
  }
}

function missing({ stateDir, status, isSystemService }: Examined, code: string): Finding {
  if (code === "EACCES") return unseen(WHAT, `this user may not look at ${stateDir}`, RUN_AS_ROOT);
  if (code !== "ENOENT")
    return failure(WHAT, `${stateDir} cannot be looked at (${code})`, "name another with --state-dir");
  if (status instanceof CliError)
    return warning(WHAT, `${stateDir} is not there yet`, "the daemon makes it at its first start");
  return failure(
    WHAT,
    `${stateDir} was removed under the running daemon`,
    isSystemService ? "systemctl restart apm-daemon" : "stop the daemon and start it again",
  );
}

function uidOf(pid: number): number | null {
  try {
    return statSync(`/proc/${pid}`).uid;
  } catch {
    return null;
  }
}
