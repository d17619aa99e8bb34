import { readFileSync } from "node:fs";

/** Name of a user, or "user 7" where the system's list does not say. */
export function userName(uid: number): string {
  return nameIn("/etc/passwd", uid) ?? `user ${uid}`;
}

/** Name of a group, or its number where the system's list does not say. */
export function groupName(gid: number): string {
  return nameIn("/etc/group", gid) ?? String(gid);
}

/** Both files have the name first and the number third. */
function nameIn(file: string, id: number): string | null {
  try {
    const line = readFileSync(file, "utf8")
      .split("\n")
      .find((candidate) => candidate.split(":")[2] === String(id));
    return line?.split(":")[0] ?? null;
  } catch {
    return null;
  }
}
