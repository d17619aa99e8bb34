import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What is in the files of a folder and of those below it. */
export function filesBelow(folder: string): Buffer[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
}
