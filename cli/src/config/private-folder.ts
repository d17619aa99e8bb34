import { chmodSync, lstatSync, mkdirSync } from "node:fs";
import { CliError } from "../cli-error.ts";

/**
 * Makes a folder that only user `uid` may enter, where anybody could have made it before. Throws START_REFUSED for one
 * that is somebody else's or no real folder.
 */
export function preparePrivateFolder(dir: string, uid: number): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const stat = lstatSync(dir);
  if (!stat.isDirectory() || stat.uid !== uid) {
    const finding = stat.isDirectory() ? `belongs to user ${stat.uid}` : "is no real folder";
    throw new CliError(
      "START_REFUSED",
      `the default place of the sockets, ${dir}, ${finding}: have it removed, or choose another place with --state-dir or run_dir`,
    );
  }
  chmodSync(dir, 0o700);
}
