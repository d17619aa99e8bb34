import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { CollectorError } from "./collector-error.ts";

/**
 * Replaces a file that only its owner may read (mode 0600): readers and a crash see the old or the new one, whole, and it is on the disk
 * when this returns. Throws STATE_DIR_NOT_WRITABLE.
 */
export function replacePrivateFile(file: string, text: string): void {
  const temporary = `${file}.${randomUUID()}`;
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o711 });
    const fd = fs.openSync(temporary, "wx", 0o600);
    try {
      fs.writeFileSync(fd, text);
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(temporary, file);
    fsyncFolder(path.dirname(file));
  } catch (cause) {
    tryToRemove(temporary);
    throw new CollectorError(
      "STATE_DIR_NOT_WRITABLE",
      `${file} cannot be written (${(cause as NodeJS.ErrnoException).code}); use a state directory that this user may write`,
      { cause },
    );
  }
}

/** Something that changes whenever a file is replaced; "absent" when there is none. Throws the file system's other errors. */
export function fileMark(file: string): string {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  return stat ? `${stat.ino}:${stat.size}:${stat.mtimeMs}` : "absent";
}

/** A rename is durable only once the folder's entry is. */
export function fsyncFolder(folder: string): void {
  const fd = fs.openSync(folder, "r");
  fs.fsyncSync(fd);
  fs.closeSync(fd);
}

function tryToRemove(file: string): void {
  try {
    fs.rmSync(file, { force: true });
  } catch {
    // What could not be written cannot be removed either; its name is nobody else's.
  }
}
